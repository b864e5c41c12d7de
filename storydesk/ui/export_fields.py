"""What the export dialog asks beyond format and place: title, form, who writes, which stories go along."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from storydesk.domain.book import Author, Form, Page, PublishingProfile
from storydesk.domain.manuscript import Story
from storydesk.services.manuscripts import ManuscriptService
from storydesk.services.publishing import PublishingService
from storydesk.ui.theme import SPACE_M, SPACE_S, add_row, make_form, make_label, set_hint

PAGED: Final = frozenset({"docx", "odt", "pdf"})
"""The formats that have pages, and so a form and a sheet of paper."""

REMEMBERED: Final = "window"
"""The name of the profile that the dialog keeps."""

_ROWS: Final = 3


class ContactField(QPlainTextEdit):
    """A field of a few lines. GUI thread."""

    def sizeHint(self) -> QSize:
        """Ask for no more than an address takes."""
        return QSize(super().sizeHint().width(), self.fontMetrics().lineSpacing() * _ROWS + 4 * SPACE_S)


class ExportFields(QWidget):
    """Title, form, paper, author and stories; what was entered last is there again. GUI thread."""

    changed = Signal()
    """Something else is wanted now."""

    def __init__(self, story: Story, publishing: PublishingService, manuscripts: ManuscriptService | None) -> None:
        """Fill in what is remembered; without ``manuscripts`` the story goes alone."""
        super().__init__()
        self._story = story
        self._stories: dict[int, Story] = {}
        self._drawn = ""
        self._kept = publishing.list_profiles().get(REMEMBERED, PublishingProfile(REMEMBERED))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_M)
        form = make_form()
        layout.addLayout(form)
        self.title_field = QLineEdit(story.title)
        add_row(form, self.tr("&Title"), self.title_field)
        self.form_box = QComboBox()
        self.form_box.addItem(self.tr("Manuscript, as editors want it"), Form.MANUSCRIPT)
        self.form_box.addItem(self.tr("Plain pages, for readers"), Form.PLAIN)
        self.form_box.setCurrentIndex(self.form_box.findData(self._kept.form))
        add_row(form, self.tr("Fo&rm"), self.form_box)
        self.page_box = QComboBox()
        self.page_box.addItem(self.tr("Letter"), Page.LETTER)
        self.page_box.addItem(self.tr("A4"), Page.A4)
        self.page_box.setCurrentIndex(self.page_box.findData(self._kept.page))
        add_row(form, self.tr("&Paper"), self.page_box)
        self.author_field = QLineEdit(self._kept.author.name)
        set_hint(self.author_field, self.tr("Your legal name"))
        add_row(form, self.tr("&Author"), self.author_field)
        self.pen_name_field = QLineEdit(self._kept.author.pen_name)
        set_hint(self.pen_name_field, self.tr("If readers know you by another name"))
        add_row(form, self.tr("P&en name"), self.pen_name_field)
        self.contact_field = ContactField("\n".join(self._kept.author.contact))
        self.contact_field.setPlaceholderText(self.tr("Address, telephone, e-mail"))
        self.contact_field.setTabChangesFocus(True)
        self.contact_field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        add_row(form, self.tr("&Contact"), self.contact_field)
        self.disclosure_field = QLineEdit(self._kept.disclosure)
        set_hint(self.disclosure_field, self.tr("How it was made, for the last page; may stay empty"))
        add_row(form, self.tr("&Disclosure"), self.disclosure_field)
        self.story_list = QListWidget()
        self._fill_stories(manuscripts)
        if self.story_list.count() > 1:
            layout.addWidget(make_label(self.tr("Stories in this document; drag them into their order"), "muted"))
            layout.addWidget(self.story_list)
        else:
            self.story_list.hide()
        self._connect()

    @property
    def title(self) -> str:
        """The document's title."""
        return self.title_field.text().strip()

    @property
    def profile(self) -> PublishingProfile:
        """What is chosen, under the name by which it is remembered."""
        contact = (line.strip() for line in self.contact_field.toPlainText().splitlines())
        author = Author(
            self.author_field.text().strip(), self.pen_name_field.text().strip(), tuple(filter(None, contact))
        )
        form, page = Form(self.form_box.currentData()), Page(self.page_box.currentData())
        disclosure = self.disclosure_field.text().strip()
        return replace(self._kept, name=REMEMBERED, form=form, page=page, author=author, disclosure=disclosure)

    @property
    def kept_profile(self) -> PublishingProfile:
        """What is remembered of it: a statement that was drawn up from this text is not for the next one."""
        profile = self.profile
        return replace(profile, disclosure="") if profile.disclosure == self._drawn else profile

    @Slot(str)
    def offer_disclosure(self, statement: str) -> None:
        """Fill a statement in that was drawn up from the text, where the writer has none of their own."""
        if statement and self.disclosure_field.text() == self._drawn:
            self._drawn = statement
            self.disclosure_field.setText(statement)
            self.disclosure_field.setCursorPosition(0)

    def chosen_stories(self) -> list[Story]:
        """Return the stories that go into the document, in their order; never none."""
        items = [self.story_list.item(row) for row in range(self.story_list.count())]
        checked = [item for item in items if item.checkState() is Qt.CheckState.Checked]
        return [self._stories[item.data(Qt.ItemDataRole.UserRole)] for item in checked] or [self._story]

    def set_paged(self, paged: bool) -> None:
        """Offer form and paper for formats that have them."""
        self.form_box.setEnabled(paged)
        self.page_box.setEnabled(paged)

    def _fill_stories(self, manuscripts: ManuscriptService | None) -> None:
        others = [] if manuscripts is None else [one for one in manuscripts.list_stories() if one.id != self._story.id]
        for story in (self._story, *others):
            item = QListWidgetItem(story.title or self.tr("Untitled"))
            item.setData(Qt.ItemDataRole.UserRole, story.id)  # a number, which outlives being dragged
            self._stories[story.id] = story
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            is_this = story.id == self._story.id
            item.setCheckState(Qt.CheckState.Checked if is_this else Qt.CheckState.Unchecked)
            self.story_list.addItem(item)
        self.story_list.setAccessibleName(self.tr("Stories in this document"))
        self.story_list.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.story_list.setMinimumHeight(self.fontMetrics().lineSpacing() * 4)

    def _connect(self) -> None:
        for field in (self.title_field, self.author_field, self.pen_name_field, self.disclosure_field):
            field.textChanged.connect(self.changed)
        self.contact_field.textChanged.connect(self.changed)
        for box in (self.form_box, self.page_box):
            box.currentIndexChanged.connect(self.changed)
        self.story_list.itemChanged.connect(self.changed)
