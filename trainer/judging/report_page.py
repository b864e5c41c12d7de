"""The report as one HTML page: no script, nothing fetched, light and dark by the reader's own choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from trainer.judging.page_style import STYLE
from trainer.judging.plots import Mark, draw_intervals, show

AS_WRITTEN, EQUAL = "written", "equal"
PEOPLE = "People"
_WIDEST = 6
"""A table with more models and settings than this has them in its rows."""

Record = Mapping[str, Any]


def draw_page(record: Record) -> str:
    """Return the page of a report's record."""
    parts = [
        *_draw_head(record),
        *_draw_verdicts(record),
        *_draw_sweep(record),
        *(part for group in record["groups"] for part in _draw_group(record, group)),
        *_draw_correlations(record),
        *_draw_passages(record),
        *_draw_examples(record),
        *_draw_method(record),
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _draw_head(record: Record) -> list[str]:
    title = escape(record["title"])
    models = ", ".join(escape(style["name"]) for style in record["styles"])
    facts = [
        ("Models", models),
        ("Prompts", f"{record['prompts']}, with {record['references']} stories that people wrote on them"),
        (
            "Stories",
            f"{record['stories_per_prompt']} on each prompt by each model, of at most {record['tokens']} tokens",
        ),
        ("Settings", "; ".join(escape(each["label"]) for each in record["settings"])),
        ("Read by", escape(record["reader"])),
        ("Made", escape(f"{record['created'].replace('T', ' ')[:16]} UTC on {record['device']}")),
    ]
    warning = []
    if record["judged_on_learned"]:
        warning = ['<p class="warning">The models learned from these very stories, so every figure flatters them.</p>']
    elif record["learned_left_out"]:
        count = record["learned_left_out"]
        warning = [f"<p>{count} stories were left out, since one of the models learned from them.</p>"]
    return [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{STYLE}</style></head><body><main>",
        f"<h1>{title}</h1>",
        '<dl class="facts">',
        *(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts),
        "</dl>",
        *warning,
    ]


def _draw_verdicts(record: Record) -> list[str]:
    sentences = record["verdicts"]
    if not sentences:
        return []
    return ["<h2>What it says</h2><ul>", *(f"<li>{escape(sentence)}</li>" for sentence in sentences), "</ul>"]


# Groups of metrics.


def _draw_group(record: Record, group: Record) -> list[str]:
    metrics = [metric for metric in record["metrics"] if metric["group"] == group["name"]]
    metrics = [metric for metric in metrics if any(value["metric"] == metric["name"] for value in record["values"])]
    if not metrics:
        return []
    return [
        f"<h2>{escape(group['title'])}</h2>",
        *_draw_table(record, metrics, group["title"]),
        *_draw_differences(record, metrics),
        '<div class="plots">',
        *(part for metric in metrics for part in _draw_metric(record, metric)),
        "</div>",
    ]


def _list_columns(record: Record, names: set[str]) -> list[tuple[str, str, int]]:
    """Return label, model and settings of everything that has a figure; people come first."""
    found = dict.fromkeys((value["style"], value["settings"]) for value in record["values"] if value["metric"] in names)
    order = ["", *(style["name"] for style in record["styles"])]
    return [
        (_name_cell(record, style, settings), style, settings)
        for style, settings in sorted(found, key=lambda each: (order.index(each[0]), each[1]))
    ]


def _name_cell(record: Record, style: str, settings: int) -> str:
    if not style:
        return PEOPLE
    if settings < 0 or len(record["settings"]) < 2:
        return style
    label: str = record["settings"][settings]["label"]
    return label if len(record["styles"]) == 1 else f"{style}, {label}"


def _draw_table(record: Record, metrics: Sequence[Record], title: str) -> Iterator[str]:
    """Yield a table of figures with intervals; what is measured at equal length has a line of its own."""
    columns = _list_columns(record, {metric["name"] for metric in metrics})
    values = {
        (value["metric"], value["style"], value["settings"], value["control"]): value for value in record["values"]
    }
    rows = [
        (metric, control)
        for metric in metrics
        for control in (AS_WRITTEN, EQUAL)
        if any((metric["name"], style, settings, control) in values for _, style, settings in columns)
    ]

    def fill(row: tuple[Record, str], column: tuple[str, str, int]) -> str:
        value = values.get((row[0]["name"], column[1], column[2], row[1]))
        return _draw_figure(value, row[0]["form"]) if value else "<td>–</td>"

    def name(row: tuple[Record, str]) -> str:
        extra = f" <small>first {record['equal_words']} words</small>" if row[1] == EQUAL else ""
        return escape(row[0]["title"]) + extra

    yield f'<div class="wide"><table><caption>{escape(title)}: figures with their 95 % intervals</caption>'
    if len(columns) <= _WIDEST:
        heads = "".join(f'<th scope="col">{escape(label)}</th>' for label, *_ in columns)
        yield f'<thead><tr><th scope="col">Metric</th>{heads}</tr></thead><tbody>'
        for row in rows:
            yield f'<tr><th scope="row">{name(row)}</th>{"".join(fill(row, column) for column in columns)}</tr>'
    else:
        heads = "".join(f'<th scope="col">{name(row)}</th>' for row in rows)
        yield f'<thead><tr><th scope="col">Model</th>{heads}</tr></thead><tbody>'
        for column in columns:
            cells = "".join(fill(row, column) for row in rows)
            yield f'<tr><th scope="row">{escape(column[0])}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def _draw_figure(value: Record, form: str, *, signed: bool = False) -> str:
    percent = form == "percent"
    told = show(value["value"], percent=percent, signed=signed)
    if value["low"] is None:
        return f"<td>{told}</td>"
    low, high = (show(value[side], percent=percent, signed=signed) for side in ("low", "high"))
    return f"<td>{told} <small>{low} to {high}</small></td>"


def _draw_differences(record: Record, metrics: Sequence[Record]) -> Iterator[str]:
    forms = {metric["name"]: metric for metric in metrics}
    differences = [each for each in record["differences"] if each["metric"] in forms]
    if not differences:
        return
    yield "<details><summary>Differences between the models, prompt by prompt</summary>"
    yield '<div class="wide"><table><caption>First minus second, with 95 % intervals</caption><thead><tr>'
    for head in ("Metric", "First", "Second", "Difference", "Verdict"):
        yield f'<th scope="col">{head}</th>'
    yield "</tr></thead><tbody>"
    for each in differences:
        metric = forms[each["metric"]]
        extra = f" <small>first {record['equal_words']} words</small>" if each["control"] == EQUAL else ""
        yield f'<tr><th scope="row">{escape(metric["title"])}{extra}</th>'
        for side in ("first", "second"):
            yield f"<td>{escape(_name_cell(record, each[side], each['settings']))}</td>"
        yield _draw_figure(each, metric["form"], signed=True)
        yield f"<td>{escape(_say_verdict(each))}</td></tr>"
    yield "</tbody></table></div></details>"


def _say_verdict(difference: Record) -> str:
    if difference["low"] is None:
        return "too few prompts to tell"
    if difference["better"]:
        return f"{difference['better']} better"
    if difference["low"] > 0 or difference["high"] < 0:
        return "they differ; neither is better for it"
    return "can't be told apart"


def _draw_metric(record: Record, metric: Record) -> list[str]:
    """Draw a plot of one metric with its sentence; of equal length where there is that."""
    values = [value for value in record["values"] if value["metric"] == metric["name"]]
    control = EQUAL if any(value["control"] == EQUAL for value in values) else AS_WRITTEN
    values = [value for value in values if value["control"] == control and value["value"] is not None]
    people = next((value["value"] for value in values if not value["style"]), None)
    order = ["", *(style["name"] for style in record["styles"])]
    values.sort(key=lambda value: (order.index(value["style"]), value["settings"]))
    marks = [
        Mark(
            _name_cell(record, value["style"], value["settings"]),
            value["value"],
            value["low"],
            value["high"],
            "people" if not value["style"] else f"style{(order.index(value['style']) - 1) % 4}",
        )
        for value in values
    ]
    note = f" (first {record['equal_words']} words of each story)" if control == EQUAL else ""
    plot = draw_intervals(marks, metric["title"], guide=people, guide_label=PEOPLE, percent=metric["form"] == "percent")
    return [
        f"<figure><figcaption><strong>{escape(metric['title'])}</strong>{note}<br>",
        f"{escape(metric['tells'])} <em>{escape(metric['misses'])}</em></figcaption>{plot}</figure>",
    ]


# Settings, ratings, copies, stories.


def _draw_sweep(record: Record) -> Iterator[str]:
    if not record["sweep"]:
        return
    titles = {metric["name"]: metric["title"] for metric in record["metrics"]}
    labels = [settings["label"] for settings in record["settings"]]
    yield "<h2>Which settings write most like people</h2>"
    yield (
        "<p>Each figure is how far the stories are from those of people, counted in how far people's stories are from "
        "each other, on average over the measures in the table: nearer is better, and more is not. Settings that can't "
        "be told apart from the nearest are as good as it, as far as these prompts can say.</p>"
    )
    for sweep in record["sweep"]:
        yield f"<h3>{escape(sweep['style'])}</h3>"
        marks = [Mark(labels[row["settings"]], row["value"], row["low"], row["high"]) for row in sweep["ranking"]]
        yield f"<figure>{draw_intervals(marks, 'Distance from stories of people')}</figure>"
        heads = ("Settings", "Distance", *(titles.get(name, name) for name in sweep["targets"]), "Verdict")
        yield '<div class="wide"><table><caption>Settings, nearest first; +1 is one spread above people</caption>'
        yield "<thead><tr>" + "".join(f'<th scope="col">{escape(head)}</th>' for head in heads) + "</tr></thead><tbody>"
        for number, row in enumerate(sweep["ranking"]):
            yield f'<tr><th scope="row">{escape(labels[row["settings"]])}</th>{_draw_figure(row, "number")}'
            for name in sweep["targets"]:
                yield f"<td>{show(row['parts'].get(name), signed=True)}</td>"
            verdict = "further away" if row["told_apart"] else "can't be told apart from the nearest"
            yield f"<td>{'nearest' if number == 0 else verdict}</td></tr>"
        yield "</tbody></table></div>"


def _draw_correlations(record: Record) -> Iterator[str]:
    if not record["correlations"]:
        return
    titles = {metric["name"]: metric["title"] for metric in record["metrics"]}
    yield "<h2>Do the figures agree with the ratings?</h2>"
    yield (
        "<p>Spearman's rank correlation over all rated stories, from −1 to 1, with its 95 % interval; and again with "
        "what the length of the stories explains taken out.</p>"
    )
    yield '<div class="wide"><table><caption>Correlation of each metric with the ratings</caption><thead><tr>'
    for head in ("Metric", "Rated for", "Stories", "Correlation", "Without length"):
        yield f'<th scope="col">{head}</th>'
    yield "</tr></thead><tbody>"
    for each in record["correlations"]:
        yield f'<tr><th scope="row">{escape(titles.get(each["metric"], each["metric"]))}</th>'
        yield f"<td>{escape(each['criterion'])}</td><td>{each['stories']}</td>"
        if each["value"] is None:
            yield "<td>not enough ratings yet</td><td>–</td></tr>"
        else:
            yield _draw_figure(each, "number", signed=True)
            yield _draw_figure(each["length_out"], "number", signed=True) + "</tr>"
    yield "</tbody></table></div>"


def _draw_passages(record: Record) -> Iterator[str]:
    if not record["passages"]:
        return
    known = ", ".join(style["name"] for style in record["styles"] if style["training_known"])
    yield "<h2>The longest copies</h2>"
    yield f"<p>Looked up in what {escape(known)} learned from.</p><dl>"
    for each in record["passages"]:
        yield f"<dt>{escape(each['style'])}: {each['words']} words</dt><dd><q>{escape(each['passage'])}</q></dd>"
    yield "</dl>"


def _draw_examples(record: Record) -> Iterator[str]:
    if not record["examples"]:
        return
    yield "<h2>What was written on the first prompt</h2>"
    yield f"<p><em>{escape(record['examples'][0]['prompt'])}</em></p>"
    for each in record["examples"]:
        label = escape(_name_cell(record, each["style"], each["settings"]))
        paragraphs = "".join(f"<p>{escape(part)}</p>" for part in each["text"].split("\n\n") if part.strip())
        yield f"<details><summary>{label}</summary>{paragraphs or '<p>Nothing was written.</p>'}</details>"


def _draw_method(record: Record) -> list[str]:
    length = (
        f"Stories differ in length, and many figures change with length alone. So figures that do are given twice: of "
        f"whole stories, and of the first {record['equal_words']} words of all stories that have as many (nine in ten)."
        if record["equal_words"]
        else "Too many stories are very short, so no figures of equal length could be given."
    )
    intervals = (
        "Intervals hold 95 %: prompts are drawn 2,000 times with replacement, all stories on a prompt together, and "
        "the percentiles are moved outwards as few prompts ask for. With fewer than 20 prompts take them as rough."
    )
    reader = (
        "Perplexities of stories, their order and finding prompts are those of one reading model, "
        f"{record['reader']}; what it wrote itself is least surprising to it."
    )
    rows = [
        intervals,
        "Differences are paired: both models write on the same prompts with the same random draws.",
        "Of many differences looked at, about one in twenty seems real by chance alone.",
        length,
        reader,
        "Metrics are no judgement of a story. Where they and people disagree, people are right.",
    ]
    return ["<h2>How it was measured</h2><ul>", *(f"<li>{escape(row)}</li>" for row in rows), "</ul>"]
