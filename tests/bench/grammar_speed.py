"""Speed and manners of the checkers: python -m tests.bench.grammar_speed [--starts 100] [--markdown FILE]

Harper on one changed paragraph of a story, LanguageTool on 10,000 words the first and the second time, the server's
memory, a 100,000-word story with one paragraph changed, ranking, and whether killed servers leave Java behind.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from storydesk.bootstrap import build_desk, find_resources
from storydesk.grammar.checkers import create_checkers
from storydesk.grammar.languagetool import LanguageToolChecker
from storydesk.grammar.languagetool_server import LanguageToolServer
from storydesk.services.polishing import AUTO, PolishingService
from storydesk.services.ranking import EngineRanker, rank_findings


def read_words(count: int) -> str:
    """Return our own sample stories, over and over with a number in each paragraph, as so many words."""
    stories = [
        str(json.loads(line)["story"])
        for path in sorted((find_resources() / "samples").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    paragraphs = [paragraph for story in stories for paragraph in story.split("\n\n")]
    chosen: list[str] = []
    words = 0
    for number in range(10**6):
        paragraph = paragraphs[number % len(paragraphs)]
        if number >= len(paragraphs):
            paragraph += f" That was {number}."  # no paragraph is known from an earlier round
        chosen.append(paragraph)
        words += len(paragraph.split())
        if words >= count:
            break
    return "\n\n".join(chosen)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure_harper(say: Callable[[str, str], None]) -> None:
    """Type into the middle of a 10,000-word story."""
    polishing = PolishingService(create_checkers(), list)
    paragraphs = read_words(10_000).split("\n\n")
    place = len(paragraphs) // 2
    say(
        "Harper, all 10,000 words (first check, dictionary loaded)",
        f"{timed(lambda: polishing.check_quickly(chr(10).join(paragraphs))):.2f} s",
    )
    runs, busy = [], []
    for number in range(40):
        paragraphs[place] += f" And teh sea {number}."
        text = "\n\n".join(paragraphs)
        begun = time.thread_time()
        runs.append(timed(lambda text=text: polishing.check_quickly(text)) * 1000)  # type: ignore[misc]  # mypy can't infer a default in a lambda
        busy.append((time.thread_time() - begun) * 1000)
    say(
        "one changed paragraph of 10,000 words, whole quick check",
        f"median {statistics.median(runs):.1f} ms ({statistics.median(busy):.1f} ms of processor time), "
        f"worst of 40 {max(runs):.1f} ms",
    )
    harper = create_checkers()["harper"]()
    harper.check("Warm.")
    alone = [timed(lambda: harper.check(paragraphs[0])) * 1000 for _ in range(40)]
    say("Harper alone on one paragraph", f"median {statistics.median(alone):.1f} ms, worst of 40 {max(alone):.1f} ms")
    polishing.close()


def measure_languagetool(say: Callable[[str, str], None]) -> None:
    """Read 10,000 words with a cold server, and again without any cache of ours, and with it."""
    server = LanguageToolServer()
    checker = LanguageToolChecker(server)
    text = read_words(10_000)
    say("LanguageTool, start and first sentence", f"{timed(lambda: checker.check('They recieve letters.')):.1f} s")
    say("10,000 words, first time", f"{timed(lambda: checker.check(text)):.1f} s")
    say("10,000 words, second time, same server", f"{timed(lambda: checker.check(text)):.1f} s")
    if server.pid is not None:
        tree = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        memory = sum(process.memory_info().rss for process in tree) / 2**20
        say("memory of the server and its guardian after that", f"{memory:.0f} MiB (heap at most 512)")
    checker.close()


def measure_novel(say: Callable[[str, str], None]) -> None:
    """Read 100,000 words with both, then again with one paragraph changed."""
    desk = build_desk(library=False)
    polishing = desk.new_polishing()
    text = read_words(100_000)
    say("both checkers, 100,000 words, first time", f"{timed(lambda: polishing.check(text, AUTO)):.0f} s")
    text = text.replace("\n\n", " And teh sea.\n\n", 1)
    say("again with one paragraph changed", f"{timed(lambda: polishing.check(text, AUTO)):.2f} s")
    findings = polishing.check(text, AUTO).findings
    ranker = EngineRanker(desk.engines)
    start = time.perf_counter()
    ranking = rank_findings(text, findings[:200], ranker)
    spent = time.perf_counter() - start
    say(
        f"ranking with {ranking.model}",
        f"{1000 * spent / max(ranking.tried, 1):.0f} ms a finding ({ranking.tried} tried)",
    )
    polishing.close()
    desk.close()


def measure_kills(say: Callable[[str, str], None], starts: int) -> None:
    """Start servers and kill the guardian, or close, in turn, and count what is left."""
    seen: list[psutil.Process] = []
    for number in range(starts):
        server = LanguageToolServer()
        with server.serving():
            if server.pid is None:
                continue
            guardian = psutil.Process(server.pid)
            seen += [guardian, *guardian.children(recursive=True)]
            if number % 2:
                guardian.kill()
        server.stop()
    time.sleep(2)
    left = [process for process in seen if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
    say(f"{starts} starts, half of them killed with kill -9", f"{len(seen)} processes, {len(left)} left")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--only", choices=("harper", "languagetool", "novel", "kills"))
    parser.add_argument("--markdown", type=Path)
    arguments = parser.parse_args()

    def say(what: str, figure: str) -> None:
        print(f"{what}: {figure}", flush=True)
        if arguments.markdown:
            with arguments.markdown.open("a", encoding="utf-8") as file:
                file.write(f"| {what} | {figure} |\n")

    steps: dict[str, Callable[[], None]] = {
        "harper": lambda: measure_harper(say),
        "languagetool": lambda: measure_languagetool(say),
        "novel": lambda: measure_novel(say),
        "kills": lambda: measure_kills(say, arguments.starts),
    }
    for name, step in steps.items():
        if arguments.only in (None, name):
            step()


if __name__ == "__main__":
    main()
