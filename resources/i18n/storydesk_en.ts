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
    <name>Judging</name>
    <message numerus="yes">
        <source>%Ln choices of settings</source>
        <translation>
            <numerusform>%Ln choice of settings</numerusform>
            <numerusform>%Ln choices of settings</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln prompts</source>
        <translation>
            <numerusform>%Ln prompt</numerusform>
            <numerusform>%Ln prompts</numerusform>
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
    <name>PairsPage</name>
    <message numerus="yes">
        <source>%Ln pairs are left out.</source>
        <translation>
            <numerusform>%Ln pair is left out.</numerusform>
            <numerusform>%Ln pairs are left out.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln pairs are back.</source>
        <translation>
            <numerusform>%Ln pair is back.</numerusform>
            <numerusform>%Ln pairs are back.</numerusform>
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
<context>
    <name>WordTally</name>
    <message numerus="yes">
        <source>%Ln words since you opened Storydesk</source>
        <translation>
            <numerusform>%Ln word since you opened Storydesk</numerusform>
            <numerusform>%Ln words since you opened Storydesk</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln words today</source>
        <translation>
            <numerusform>%Ln word today</numerusform>
            <numerusform>%Ln words today</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>dataset</name>
    <message numerus="yes">
        <source>%Ln pairs</source>
        <translation>
            <numerusform>%Ln pair</numerusform>
            <numerusform>%Ln pairs</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln stories are also among those kept aside to measure with</source>
        <translation>
            <numerusform>%Ln story is also among those kept aside to measure with</numerusform>
            <numerusform>%Ln stories are also among those kept aside to measure with</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln stories are here more than once</source>
        <translation>
            <numerusform>%Ln story is here more than once</numerusform>
            <numerusform>%Ln stories are here more than once</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln stories are in another language</source>
        <translation>
            <numerusform>%Ln story is in another language</numerusform>
            <numerusform>%Ln stories are in another language</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln stories are nearly the same as another one</source>
        <translation>
            <numerusform>%Ln story is nearly the same as another one</numerusform>
            <numerusform>%Ln stories are nearly the same as another one</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln stories are very long</source>
        <translation>
            <numerusform>%Ln story is very long</numerusform>
            <numerusform>%Ln stories are very long</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln stories are very short</source>
        <translation>
            <numerusform>%Ln story is very short</numerusform>
            <numerusform>%Ln stories are very short</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln stories come with remarks to their readers</source>
        <translation>
            <numerusform>%Ln story comes with remarks to its readers</numerusform>
            <numerusform>%Ln stories come with remarks to their readers</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln stories have broken letters</source>
        <translation>
            <numerusform>%Ln story has broken letters</numerusform>
            <numerusform>%Ln stories have broken letters</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln stories have lines around them that are no story</source>
        <translation>
            <numerusform>%Ln story has lines around it that are no story</numerusform>
            <numerusform>%Ln stories have lines around them that are no story</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln stories have none.</source>
        <translation>
            <numerusform>%Ln story has none.</numerusform>
            <numerusform>%Ln stories have none.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln stories have signs in them that are no words</source>
        <translation>
            <numerusform>%Ln story has signs in it that are no words</numerusform>
            <numerusform>%Ln stories have signs in them that are no words</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln stories were cut into parts.</source>
        <translation>
            <numerusform>%Ln story was cut into parts.</numerusform>
            <numerusform>%Ln stories were cut into parts.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln stories were left out.</source>
        <translation>
            <numerusform>%Ln story was left out.</numerusform>
            <numerusform>%Ln stories were left out.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln stories were mended.</source>
        <translation>
            <numerusform>%Ln story was mended.</numerusform>
            <numerusform>%Ln stories were mended.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Made from the first sentence for %Ln.</source>
        <translation>
            <numerusform>Made from the first sentence for %Ln.</numerusform>
            <numerusform>Made from the first sentence for %Ln.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Made from the title for %Ln.</source>
        <translation>
            <numerusform>Made from the title for %Ln.</numerusform>
            <numerusform>Made from the title for %Ln.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The doctor found %Ln things to look at.</source>
        <translation>
            <numerusform>The doctor found %Ln thing to look at.</numerusform>
            <numerusform>The doctor found %Ln things to look at.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>figures</name>
    <message numerus="yes">
        <source>%Ln stories</source>
        <translation>
            <numerusform>%Ln story</numerusform>
            <numerusform>%Ln stories</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln texts</source>
        <translation>
            <numerusform>%Ln text</numerusform>
            <numerusform>%Ln texts</numerusform>
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
</TS>
