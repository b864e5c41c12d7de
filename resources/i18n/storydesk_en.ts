<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en_US">
<context>
    <name>BackupsDialog</name>
    <message numerus="yes">
        <source>%Ln stories</source>
        <translation>
            <numerusform>%Ln story</numerusform>
            <numerusform>%Ln stories</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln words</source>
        <translation>
            <numerusform>%Ln word</numerusform>
            <numerusform>%Ln words</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln drafts</source>
        <translation>
            <numerusform>%Ln draft</numerusform>
            <numerusform>%Ln drafts</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ContextView</name>
    <message numerus="yes">
        <source>%Ln characters of the memory</source>
        <translation>
            <numerusform>%Ln character of the memory</numerusform>
            <numerusform>%Ln characters of the memory</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln characters of the prompt</source>
        <translation>
            <numerusform>%Ln character of the prompt</numerusform>
            <numerusform>%Ln characters of the prompt</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln characters of the note</source>
        <translation>
            <numerusform>%Ln character of the note</numerusform>
            <numerusform>%Ln characters of the note</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>the text’s first %Ln characters</source>
        <translation>
            <numerusform>the text’s first character</numerusform>
            <numerusform>the text’s first %Ln characters</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln entries that have no room</source>
        <translation>
            <numerusform>%Ln entry that has no room</numerusform>
            <numerusform>%Ln entries that have no room</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln tokens</source>
        <translation>
            <numerusform>%Ln token</numerusform>
            <numerusform>%Ln tokens</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>DraftRoom</name>
    <message numerus="yes">
        <source>%Ln places</source>
        <translation>
            <numerusform>%Ln place</numerusform>
            <numerusform>%Ln places</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>DraftsPage</name>
    <message numerus="yes">
        <source>%Ln changes</source>
        <translation>
            <numerusform>%Ln change</numerusform>
            <numerusform>%Ln changes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln words</source>
        <translation>
            <numerusform>%Ln word</numerusform>
            <numerusform>%Ln words</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>FindBar</name>
    <message numerus="yes">
        <source>%Ln places</source>
        <translation>
            <numerusform>%Ln place</numerusform>
            <numerusform>%Ln places</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>LibraryPanel</name>
    <message numerus="yes">
        <source>Today %Ln words</source>
        <translation>
            <numerusform>Today %Ln word</numerusform>
            <numerusform>Today %Ln words</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln words</source>
        <translation>
            <numerusform>%Ln word</numerusform>
            <numerusform>%Ln words</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>LorebookPage</name>
    <message numerus="yes">
        <source>%Ln entries were deleted.</source>
        <translation>
            <numerusform>%Ln entry was deleted.</numerusform>
            <numerusform>%Ln entries were deleted.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln entries came in.</source>
        <translation>
            <numerusform>%Ln entry came in.</numerusform>
            <numerusform>%Ln entries came in.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln were here already.</source>
        <translation>
            <numerusform>%Ln was here already.</numerusform>
            <numerusform>%Ln were here already.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln were empty.</source>
        <translation>
            <numerusform>%Ln was empty.</numerusform>
            <numerusform>%Ln were empty.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>MemoryPanel</name>
    <message numerus="yes">
        <source>Lorebook: %Ln entries</source>
        <translation>
            <numerusform>Lorebook: %Ln entry</numerusform>
            <numerusform>Lorebook: %Ln entries</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>PolishPage</name>
    <message numerus="yes">
        <source>%Ln corrections</source>
        <translation>
            <numerusform>%Ln correction</numerusform>
            <numerusform>%Ln corrections</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>in %Ln sentences</source>
        <translation>
            <numerusform>in %Ln sentence</numerusform>
            <numerusform>in %Ln sentences</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Put %Ln in</source>
        <translation>
            <numerusform>Put %Ln in</numerusform>
            <numerusform>Put %Ln in</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>PolishPanel</name>
    <message numerus="yes">
        <source>and %Ln more</source>
        <translation>
            <numerusform>and %Ln more</numerusform>
            <numerusform>and %Ln more</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln notes</source>
        <translation>
            <numerusform>%Ln note</numerusform>
            <numerusform>%Ln notes</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>PromptsPage</name>
    <message numerus="yes">
        <source>Write %Ln stories</source>
        <translation>
            <numerusform>Write the story</numerusform>
            <numerusform>Write %Ln stories</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln prompts are in the trash.</source>
        <translation>
            <numerusform>%Ln prompt is in the trash.</numerusform>
            <numerusform>%Ln prompts are in the trash.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln prompts came in.</source>
        <translation>
            <numerusform>%Ln prompt came in.</numerusform>
            <numerusform>%Ln prompts came in.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln were here already.</source>
        <translation>
            <numerusform>%Ln was here already.</numerusform>
            <numerusform>%Ln were here already.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>QueueList</name>
    <message numerus="yes">
        <source>%Ln to come</source>
        <translation>
            <numerusform>%Ln to come</numerusform>
            <numerusform>%Ln to come</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ReplacePreview</name>
    <message numerus="yes">
        <source>Replace %Ln places</source>
        <translation>
            <numerusform>Replace %Ln place</numerusform>
            <numerusform>Replace %Ln places</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>StatusBar</name>
    <message numerus="yes">
        <source>%Ln words</source>
        <translation>
            <numerusform>%Ln word</numerusform>
            <numerusform>%Ln words</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln grammar notes</source>
        <translation>
            <numerusform>%Ln grammar note</numerusform>
            <numerusform>%Ln grammar notes</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>WaysDialog</name>
    <message numerus="yes">
        <source>%Ln words</source>
        <translation>
            <numerusform>%Ln word</numerusform>
            <numerusform>%Ln words</numerusform>
        </translation>
    </message>
</context>
</TS>
