"""Step 4, what changed: before and after in words, why it is in use or not, samples, its card, and the choice."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from storydesk.bridge.jobs import JobRunner
from storydesk.bridge.phrases import Phrases
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.tuning import GraphParity, RunState, RunStatus
from storydesk.services.ports import SettingsStore
from storydesk.services.tuning import TuningOutcome
from storydesk.ui.figures import say_change, say_number, say_perplexity
from storydesk.ui.theme import SPACE_M, SPACE_S, make_label, set_role
from storydesk.ui.tuning.choice_words import say_choice_reason, say_choices
from storydesk.ui.tuning.fold_out import FoldOut
from storydesk.ui.tuning.run_plots import LOSS, PERPLEXITY, RunPlots
from storydesk.ui.tuning.sample_column import SampleColumn

# Human stories share runs of a dozen words with others at most; a model that copies more gives its texts away.
MANY_WORDS = 20
MUCH_COPIED = 0.05
CARD_LINES = 16


class ChangeStep(QWidget):
    """Shows how a run ended: completed, paused or without a result. GUI thread."""

    adoption_wanted = Signal()
    """Use the new model although it measured no better."""
    return_wanted = Signal()
    """Go back to the model that was in use before."""
    resume_wanted = Signal()
    again_wanted = Signal()
    leave_wanted = Signal()

    def __init__(
        self,
        phrases: Phrases,
        settings: SettingsStore,
        read_card: Callable[[str], str],
        parent: QWidget | None = None,
    ) -> None:
        """Show nothing yet; ``read_card`` returns the card of a model of this name, Markdown, on any thread."""
        super().__init__(parent)
        self._phrases = phrases
        self._read_card = read_card
        self._jobs = JobRunner(self)
        self._card_of = ""
        self.heading = make_label("", "title")
        self.said = make_label("", selectable=True)
        self.figures = make_label("", "heading")
        self.in_use = make_label("")
        self.why = make_label("", "muted")
        self.ranking = make_label("", selectable=True)
        self.plots = RunPlots((LOSS, PERPLEXITY))
        self.copying = make_label("", selectable=True)
        self.samples = SampleColumn(self.tr("Stories it wrote on prompts it never read"), settings)
        self._parity = make_label("", "muted", selectable=True)
        self.experts = FoldOut(self.tr("For experts"), self._parity)
        self._card = self._make_card_view()
        self.card = FoldOut(self.tr("Its card: what it comes from and what was measured"), self._card)
        self.card.button.toggled.connect(self._on_card_toggled)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_M)
        for widget in (
            self.heading,
            self.said,
            self.figures,
            self.in_use,
            self.why,
            self.plots,
            self.ranking,
            self.copying,
            self.samples,
            self.experts,
            self.card,
        ):
            layout.addWidget(widget)
        layout.addStretch()
        self.buttons = self._build_buttons()

    def show_outcome(self, outcome: TuningOutcome) -> None:
        """Show a run that was completed or paused."""
        state = outcome.state
        if state.status is not RunStatus.COMPLETED or outcome.model is None:
            self._show_paused(state)
            return
        better = state.improved
        learned = self.tr("It has learnt your taste") if state.choices else self.tr("Your voice is ready")
        self.heading.setText(learned if better else self.tr("No better than before"))
        set_role(self.said, "")
        change = say_change(state.perplexity_before, state.perplexity_after)
        self.said.setText(say_choices(state.choices) if state.choices else change)
        figures = {"before": say_perplexity(state.perplexity_before), "after": say_perplexity(state.perplexity_after)}
        self.figures.setText(self.tr("Perplexity {before} → {after}").format(**figures))
        self._show_card_of(outcome.model.name)
        self.show_in_use(outcome.model.name, is_new=outcome.adopted)
        self._show_run(state)
        why = say_choice_reason(state, adopted=outcome.adopted) if state.choices else ""
        self.why.setText(why or self._say_why(better=better, adopted=outcome.adopted))
        self.why.show()
        self._show_buttons(
            keep_old=outcome.adopted, use_new=not outcome.adopted, resume=False, again=not better, leave=True
        )

    def show_failure(self, failure: Failure, state: RunState | None) -> None:
        """Show why there is no new model; what was saved can be gone on from."""
        cancelled = failure.code == FailureCode.CANCELLED
        self.heading.setText(self.tr("Cancelled") if cancelled else self.tr("No new model this time"))
        set_role(self.said, "" if cancelled else "problem")
        self.said.setText("\n".join(part for part in self._phrases.say(failure) if part))
        self.figures.setText("")
        self._show_card_of("")
        self.in_use.setText(self.tr("Everything else is as it was."))
        self._show_run(state)
        saved = state is not None and state.checkpoint_step > 0
        self._show_buttons(keep_old=False, use_new=False, resume=saved, again=True, leave=True)

    def show_in_use(self, name: str, *, is_new: bool) -> None:
        """Say which model writes from now on, and offer the other one."""
        said = self.tr("{name} is in use now; the next words come from it.")
        kept = self.tr("The model that you had is in use. {name} is on your shelf.")
        self.in_use.setText((said if is_new else kept).format(name=name))
        self.keep_button.setVisible(is_new)
        self.use_button.setVisible(not is_new)

    def close_jobs(self) -> None:
        """End what is under way here."""
        self._jobs.close()
        self.plots.close_jobs()

    def show_choice_failure(self, failure: Failure) -> None:
        """Say why the choice could not be carried out."""
        set_role(self.in_use, "problem")
        self.in_use.setText(self._phrases.say_line(failure))

    def _show_paused(self, state: RunState) -> None:
        self.heading.setText(self.tr("Paused"))
        set_role(self.said, "")
        saved = self.tr("What was learnt up to step {step} is saved. You can go on whenever you like.")
        nothing = self.tr("It had not learnt anything yet, so nothing is lost.")
        self.said.setText(saved.format(step=say_number(state.checkpoint_step)) if state.checkpoint_step else nothing)
        self.figures.setText("")
        self._show_card_of("")
        self.in_use.setText(self.tr("The model that you had is in use."))
        self._show_run(state)
        self._show_buttons(keep_old=False, use_new=False, resume=True, again=True, leave=True)

    def _show_run(self, state: RunState | None) -> None:
        set_role(self.in_use, "")
        self.why.hide()
        self.figures.setVisible(bool(self.figures.text()))
        self.plots.show_state(state)
        self.samples.show_samples(state.samples if state else (), state.samples_before if state else ())
        self._show_ranking(state)
        self._show_copying(state)
        lines = [self._describe_parity(parity) for parity in state.parity] if state else []
        self._parity.setText("\n".join(lines))
        self.experts.setVisible(bool(lines))

    def _say_why(self, *, better: bool, adopted: bool) -> str:
        """Return why the new model is in use or not."""
        if adopted and better:
            return self.tr(
                "It was taken because it foresees the pages that were kept aside better than the model it came from."
            )
        if adopted:
            return self.tr("It was taken because you asked for it; it foresees the pages kept aside no better.")
        if better:
            return self.tr("It was not taken because you asked to keep the old one.")
        return self.tr(
            "It was not taken because it foresees the pages that were kept aside no better than the model it came "
            "from. More text of yours helps most; you can use it all the same."
        )

    def _show_ranking(self, state: RunState | None) -> None:
        """Say how well stories are told from their prompts, before and after."""
        ranks = {ranking.moment: ranking for ranking in state.prompt_rankings} if state else {}
        before, after = ranks.get("before"), ranks.get("after")
        self.ranking.setVisible(before is not None and after is not None)
        if before is None or after is None:
            return
        said = self.tr(
            "Of {choices} prompts it finds the one that an unseen story was written on in {after} of all cases. "
            "Before, it was {before}, and guessing would be {guess}."
        ).format(
            choices=say_number(after.choices),
            before=f"{before.accuracy:.0%}",
            after=f"{after.accuracy:.0%}",
            guess=f"{1 / max(after.choices, 1):.0%}",
        )
        overlaps = before.low <= after.high and after.low <= before.high
        chance = self.tr("With {stories} stories that difference may be chance.")
        stories = say_number(min(before.stories, after.stories))
        self.ranking.setText(f"{said} {chance.format(stories=stories)}" if overlaps else said)

    def _make_card_view(self) -> QTextBrowser:
        view = QTextBrowser()
        view.setOpenLinks(False)
        view.setTabChangesFocus(True)
        view.setAccessibleName(self.tr("The card of the model"))
        view.setMinimumHeight(view.fontMetrics().lineSpacing() * CARD_LINES)
        return view

    def _show_card_of(self, name: str) -> None:
        self._card_of = name
        self._card.clear()
        self.card.button.setChecked(False)
        self.card.setVisible(bool(name))

    def _on_card_toggled(self, shown: bool) -> None:
        """Read the card, on a thread."""
        name = self._card_of
        if not shown or not name:
            return

        def on_read(card: str) -> None:
            if name == self._card_of:
                self._card.setMarkdown(card or self.tr("This model has no card."))

        def on_failed(failure: Failure) -> None:
            if name == self._card_of:
                self._card.setPlainText(self._phrases.say_line(failure))

        self._jobs.start(lambda _: self._read_card(name), on_success=on_read, on_failure=on_failed)

    def _show_copying(self, state: RunState | None) -> None:
        """Say whether the new stories are the writer's own over again, and what else changed in them."""
        figures = {each.moment: each for each in state.stories} if state else {}
        after = figures.get("after")
        self.copying.setVisible(after is not None)
        if after is None:
            return
        learnt = after.longest_copy >= MANY_WORDS or after.copied_share > MUCH_COPIED
        set_role(self.copying, "problem" if learnt else "")
        said = (
            self.tr("Learnt by heart in part: {words} words in a row are from your stories (“{passage}”).")
            if learnt
            else self.tr("Not learnt by heart: at most {words} words in a row are from your stories.")
        )
        passage = after.longest_passage if len(after.longest_passage) < 160 else after.longest_passage[:159] + "…"
        parts = [said.format(words=say_number(after.longest_copy), passage=passage)]
        if (before := figures.get("before")) is not None:
            varied = self.tr(
                "Word pairs that are new in a story: {before} → {after}. Repeated runs of three: {b} → {a}."
            )
            shares = (before.distinct_2, after.distinct_2, before.repetition_3, after.repetition_3)
            old, new, b, a = (f"{share:.0%}" for share in shares)
            parts.append(varied.format(before=old, after=new, b=b, a=a))
        self.copying.setText(" ".join(parts))

    def _describe_parity(self, parity: GraphParity) -> str:
        said = self.tr(
            "{graph} beside {reference}: largest difference of log-probabilities {difference}, perplexity {mine} "
            "beside {theirs}"
        )
        return said.format(
            graph=parity.graph,
            reference=parity.reference,
            difference=f"{parity.largest_difference:.2g}",
            mine=say_number(parity.perplexity, 3),
            theirs=say_number(parity.reference_perplexity, 3),
        )

    def _build_buttons(self) -> QWidget:
        self.again_button = QPushButton(self.tr("Change the plan"))
        self.again_button.clicked.connect(self.again_wanted)
        self.keep_button = QPushButton(self.tr("Keep the old one"))
        self.keep_button.clicked.connect(self.return_wanted)
        self.use_button = QPushButton(self.tr("Use my voice"))
        self.use_button.clicked.connect(self.adoption_wanted)
        self.resume_button = QPushButton(self.tr("Go on"))
        self.resume_button.setAccessibleName(self.tr("Go on with the tuning"))
        self.resume_button.clicked.connect(self.resume_wanted)
        self.leave_button = QPushButton(self.tr("Back to writing"))
        self.leave_button.setProperty("role", "primary")
        self.leave_button.clicked.connect(self.leave_wanted)
        actions = QWidget()
        row = QHBoxLayout(actions)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_S)
        row.addWidget(self.again_button)
        row.addStretch()
        for button in (self.keep_button, self.use_button, self.resume_button, self.leave_button):
            row.addWidget(button)
        return actions

    def _show_buttons(self, *, keep_old: bool, use_new: bool, resume: bool, again: bool, leave: bool) -> None:
        self.keep_button.setVisible(keep_old)
        self.use_button.setVisible(use_new)
        self.resume_button.setVisible(resume)
        self.again_button.setVisible(again)
        self.leave_button.setVisible(leave)
