"""Cards of a step page: failures first, none left out, and each says why it is apart."""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Callable, Iterable

import pytest
from django.test import Client

from joblogs.models import LogFeatures
from joblogs.pages.step import page as step_page
from tests.builders import Fields, job, load, result, script_log, step
from tests.pages.page_helpers import html, page, staff, text

pytestmark = pytest.mark.django_db
WORDS = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heron",
    "iris",
    "jolly",
    "karma",
    "lemon",
    "mango",
    "noble",
]
HTML_MAX = 400_000


def _word(number: int) -> str:
    """A sentence without a digit, unlike that of any other number."""
    dice = random.Random(number)  # noqa: S311 - the same every time is what is wanted
    return " ".join(dice.choice(WORDS) for _ in range(9))


def _load(hosts: Iterable[int], says: Callable[[int], str], **fields: object) -> None:
    """Hosts that print what `says` gives; those whose text has an error failed."""
    records: list[Fields] = [job(status=3), step(status=3)]
    for host in hosts:
        log = says(host)
        failed = "error" in log
        outcome: Fields = {"status": 104 if failed else 9, "exit_code": int(failed)}
        records.append(result(host, host_name=f"web-{host:05}", **outcome | fields))
        records += [script_log(log, host=host)] if log else []
    load(*records)


def _step(client: Client, query: str = "") -> str:
    return html(client, page("step", host=None) + query)


def _cards(shown: str) -> list[str]:
    return re.findall(r'<section class="group ([^"]*)"', shown)


def _plain(part: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", part))


def _card(shown: str, host: str) -> str:
    """What the card of the group of a host says."""
    cards = shown.split("<section ")
    return _plain(next(card for card in cards if re.search(rf'class="hosts">{host}\b', card)))


def test_no_failing_group_is_left_out() -> None:
    _load(range(1, 501), lambda host: f"error: {_word(host)}\n" if host % 2 else "ok\n")
    client = staff()
    first, second = _step(client), _step(client, "?ways=2")
    shown = {
        host
        for part in (first, second)
        for host in re.findall(r'class="hosts">web-(\d+)<', part)
        if int(host) % 2
    }
    assert len(shown) == 250
    assert [card for card in _cards(first) if "brief" not in card][:12] == [
        *("c-bad1", "c-bad2", "c-bad3", "c-bad4"),
        *["c-bad5"] * 8,
    ]
    assert len([card for card in _cards(first) if "brief" in card]) == 188
    assert "failing groups 201 to 250 of 250" in _plain(first)
    assert "250 failed in 250 ways" in _plain(first)
    assert "error: delta" in _plain(first)


def test_a_card_of_one_line_is_opened_on_request() -> None:
    _load(range(1, 41), lambda host: f"begun\nerror: {_word(host)}\n" if host % 2 else "begun\n")
    client = staff()
    shown = _step(client)
    brief = next(card for card in shown.split("<section ") if card.startswith('class="group brief'))
    assert "error: " in brief
    assert "begun" not in brief
    address = re.search(r'href="(\?open=\w+)#', brief)
    assert address is not None
    key = address[1].removeprefix("?open=")
    opened = _step(client, address[1]).partition(f'id="g-{key}"')[2].partition("</section>")[0]
    assert "begun" in opened


@pytest.mark.parametrize("query", ["", "?ways=2", "?each=1", "?only=failed", "?alike=identical"])
def test_every_link_of_the_legend_has_its_target(query: str) -> None:
    def says(host: int) -> str:
        if host % 5 == 0:
            return f"error: {_word(host)}\n"
        return f"ok\nnote {_word(host)}\n" if host % 40 == 1 else "ok\n"

    _load(range(1, 1201), says)
    shown = _step(staff(), query)
    legend = shown.partition('class="legend"')[2].partition("</p>")[0]
    targets = re.findall(r'href="(\?[^"#]*)?#(g-\w+)"', legend)
    assert bool(targets) == (query != "?alike=identical")
    for elsewhere, target in targets:
        assert elsewhere or f'id="{target}"' in shown


def test_one_offs_are_one_card() -> None:
    _load(range(1, 301), lambda host: f"ok\n{_word(host)}\n" if host % 10 == 0 else "ok\n")
    client = staff()
    shown = _step(client)
    assert "30 hosts, each with other output" in _plain(shown)
    assert len(_cards(shown)) == 2
    assert len(_cards(_step(client, "?each=1"))) == 31


def test_where_all_fail_alike_the_error_is_in_sight() -> None:
    lines = "".join(f"step {number}\n" for number in range(40))
    _load(range(1, 31), lambda host: f"took {host} ms\nerror: connection refused\n{lines}bye\n")
    shown = _step(staff())
    (card,) = [card for card in shown.split("<section ") if card.startswith('class="group')]
    assert "<details><summary>" not in card.partition('class="sample"')[0].partition("</header>")[2]
    assert "error: connection refused" in _plain(card)
    assert "bye" in _plain(card)


def test_a_failure_shows_the_lines_that_no_success_printed() -> None:
    def says(host: int) -> str:
        middle = "error: quota\nof disk a\n" if host == 7 else ""
        return f"begun\n{middle}cleaned up {host} files\n"

    _load(range(1, 41), says)
    card = _card(_step(staff()), "web-00007")
    assert "Lines that no successful host printed" in card
    assert "error: quota" in card
    assert "cleaned up" not in card


@pytest.mark.parametrize("before_cause", [3, 7])
@pytest.mark.parametrize(
    "cause", ["Could not find the client of the queue", "login failed (the cookie is another)"]
)
def test_of_a_long_failure_what_went_wrong_is_shown_wherever_it_stands(
    before_cause: int, cause: str
) -> None:
    def says(host: int) -> str:
        lines = [_word(number) for number in range(13)]
        lines.insert(before_cause, cause)
        return "started\n" + "\n".join(["error: stopped", *lines]) if host == 7 else "started\n"

    _load(range(1, 20), says)
    assert cause in _card(_step(staff()), "web-00007")


def test_of_a_long_failure_the_lines_that_name_the_error_are_shown() -> None:
    calls = "".join(
        f"  File 'm{n}', line {n}, in step\n    do_{_word(n)[:5]}()\n" for n in range(6)
    )
    error = (
        f"begun\nTraceback:\n{calls}db.errors.DuplicateTable: it is there\n{calls}read on\nend\n"
    )

    _load(range(1, 41), lambda host: error + "error\n" if host == 7 else "begun\ndone\n")
    assert "DuplicateTable" in _card(_step(staff()), "web-00007")


@pytest.mark.parametrize(
    ("usual", "own", "reason"),
    [
        ("schema a117 is in place", "schema a116 is in place", "schema a116, where 59 hosts"),
        ("disk {n} GB free", "disk 0 GB free", "disk 0 GB; the others about"),
        ("ok", "ok\nwarning: swap", "prints lines that the largest group does not"),
        ("first\nsmoke test passed\nok", "first\nok", "lacks a line that 59 hosts print"),
        (
            *("first\nsecond\nok", "first\nother\nok"),
            "first differs from the largest group (59 hosts) at line 2",
        ),
        ("first\nsecond\nok", "first\nsecond", "stops after line 2; the largest group continues"),
    ],
)
def test_each_card_says_why_it_is_apart(usual: str, own: str, reason: str) -> None:
    def says(host: int) -> str:
        return (own if host == 9 else usual).replace("{n}", str(10 + host)) + "\n"

    _load(range(1, 61), says)
    assert reason in _card(_step(staff()), "web-00009")


@pytest.mark.parametrize(
    ("usual", "own", "shown"),
    [
        ("first\nsecond\nok", "first\nother\nok", "second"),
        (
            "New, TLSv1.3, Cipher is A\nok",
            "New, TLSv1.2, Cipher is EC-B\nok",
            "New, TLSv1.3, Cipher",
        ),
        ("start web\nstart cache\nstart db", "start db\nstart cache\nstart web", "start web"),
        ("ok", "ok\nwarning: swap", None),
        ("first\nok", "first\nwarning: swap\nok", None),
    ],
)
def test_a_card_shows_what_the_crowd_has_instead(usual: str, own: str, shown: str | None) -> None:
    _load(range(1, 61), lambda host: (own if host == 9 else usual) + "\n")
    card = _card(_step(staff()), "web-00009")
    if shown is None:
        assert "The largest group has" not in card
    else:
        assert f"The largest group has {shown}" in card


def test_a_card_says_that_only_the_bytes_of_a_text_differ() -> None:
    _load(range(1, 61), lambda host: "" if host == 9 else "begun\n磁盘空间不足的门店\nok\n")
    raw = base64.b64encode("begun\n磁盘空间不足的门店\nok\n".encode("gb18030")).decode()
    load(script_log(None, host=9, content_base64=raw))
    card = _card(_step(staff()), "web-00009")
    assert "The largest group has the same text there in other bytes" in card
    assert card.count("磁盘空间不足的门店") == 1


def test_the_slowest_host_is_named_beside_the_counts() -> None:
    hosts = [result(host, status=9, total_time=9_000 + host) for host in range(1, 6)]
    load(job(), step(), *hosts, result(6, status=9, total_time=700_000, host_name="<web>"))
    shown = _step(staff())
    assert 'Slowest: <a href="hosts/6/">&lt;web&gt;</a> 11 min 40 s (median 9.0 s).' in shown


def test_the_crowd_says_in_what_its_hosts_differ() -> None:
    _load(range(1, 61), lambda host: f"pid {900 + host} agent 2.{host % 2}.0 sent {host} MB\n")
    shown = _plain(_step(staff()))
    assert "They differ in: agent 2.1.0 on 30 hosts, 2.0.0 on 30 hosts" in shown
    assert "sent about 1 MB to" in shown


def test_the_crowd_names_a_few_places_in_which_its_hosts_differ_the_most_telling_first() -> None:
    def says(host: int) -> str:
        near = "".join(f"{name} {100 + host % 7} MB\n" for name in ("cache", "heap", "stack"))
        spread = f"sent {2 ** (host % 20)} MB\n"
        return f"2026-11-30 10:00:{host % 60:02} go\n{near}{spread}agent 2.{host % 2}.0\n"

    _load(range(1, 61), says)
    shown = _plain(_step(staff()))
    places = shown.partition("They differ in: ")[2].partition("first lines")[0]
    assert places.startswith("agent 2.1.0 on 30 hosts, 2.0.0 on 30 hosts; sent about 1 MB to ")
    assert places.count(";") == 2
    assert "; and 3 more places" in places


def test_few_hosts_are_told_in_what_they_differ() -> None:
    _load(range(1, 4), lambda host: f"agent {'2.0.1' if host == 2 else '2.0.0'}\n")
    shown = _plain(_step(staff()))
    assert "agent 2.0.0 on 2 hosts, 2.0.1 on 1 host" in shown


def test_another_tag_is_no_other_output() -> None:
    records = [job(), step()]
    for host in range(1, 31):
        records += [
            result(host, status=9, tag="blue" if host % 3 else "green"),
            script_log(f"took {host} ms\n", host=host),
        ]
    load(*records)
    shown = text(staff(), page("step", host=None))
    assert "30 succeeded." in shown
    assert "different output" not in shown
    assert "green · same output as the others" in shown


def test_a_page_without_features_compares_for_a_while_and_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = "a line of 100,000\n" * 5_000
    _load(range(1, 25), lambda host: f"{line}ok\n")
    LogFeatures.objects.all().delete()
    client = staff()
    monkeypatch.setattr(step_page, "COMPARE_SECONDS", 1e-9)
    shown = _step(client)
    found = re.search(r"(\d+) of 24 outputs compared so far", shown)
    assert found is not None
    assert 0 < int(found[1]) < 24
    assert 'data-runs="1"' in shown
    monkeypatch.setattr(step_page, "COMPARE_SECONDS", 60)
    shown = _step(client)
    assert "compared so far" not in shown
    assert LogFeatures.objects.count() == 24
    assert 'data-runs="0"' in shown


def test_a_card_says_how_many_values_it_does_not_name_and_marks_the_named() -> None:
    def says(host: int) -> str:
        version, place = ("3.8.1", "7") if host == 9 else ("3.8.2", "1")
        return f"from {version} via {place}, on {version}\nthen {version}\nlast {version}\n"

    _load(range(1, 61), says)
    shown = _step(staff())
    assert "except for 5 values" in _plain(shown)
    assert "and 2 more values" in _plain(shown)
    card = next(card for card in shown.split("<section ") if "except for" in card)
    assert card.count('class="value"') == card.count(", where 59 hosts") == 3


def test_a_value_that_is_all_of_its_line_is_called_by_the_line() -> None:
    _load(range(1, 61), lambda host: f"begun\n2.{host % 2}.0\n")
    assert "They differ in: line 2 2.1.0 on 30 hosts" in _plain(_step(staff()))


@pytest.mark.slow
def test_a_failing_card_says_which_word_differs() -> None:
    names = ["nginx", "curl", "curl", "etcd", "bob", "vim", "tmux", "jq"]

    def says(host: int) -> str:
        return f"error: cannot install package {names[host - 1]}\n" if host < 9 else "done\n"

    _load(range(1, 61), says)
    shown = _step(staff())
    (card,) = [_plain(card) for card in shown.split("<section ") if "differs:" in card]
    assert "package differs: curl on 2 hosts, " in card
    assert "1 more value" in card


def test_all_lines_of_its_own_are_shown_of_a_success() -> None:
    def says(host: int) -> str:
        own = "config was modified\nupdate was shipped\nconfig was kept\n" if host == 7 else ""
        return f"begun\n{own}listed {_word(host)}\ndone\n"

    _load(range(1, 61), says)
    (card,) = [card for card in _step(staff()).split("<section ") if "config was kept" in card]
    for line in ("config was modified", "update was shipped", "config was kept"):
        assert re.search(rf'class="sl differs".*{line}', card)


def test_of_paths_the_card_names_what_differs() -> None:
    names = ["nginx", "curl", "etcd"]

    def says(host: int) -> str:
        return f"error in archive /srv/dpkg/{names[host - 1]}_4.deb now\n" if host < 4 else "ok\n"

    _load(range(1, 61), says)
    (card,) = [_plain(card) for card in _step(staff()).split("<section ") if "differs:" in card]
    assert re.search(r"archive differs: (\w+), (\w+), (\w+) *$", card)


def test_the_card_of_the_crowd_says_which_lines_come_and_go() -> None:
    def says(host: int) -> str:
        note = "restart required\n" if host % 3 == 0 else ""
        return f"begun\n{note}" + ("updates wait\n" if host % 4 < 2 else "") + "done\n"

    _load(range(1, 61), says)
    shown = _step(staff())
    assert "different output" not in _plain(shown)
    (card,) = [_plain(card) for card in shown.split("<section ") if "come and go" in card]
    assert "Lines that come and go: updates wait on 30 hosts; restart required on 20 hosts" in card


def test_a_last_line_longer_than_what_is_read_of_it_is_the_last_line() -> None:
    filler = "".join(f"step {line}\n" for line in range(1, 9_001))
    _load([1], lambda host: f"{filler}error of {'x' * 200_000}THE END\n")
    card = _card(_step(staff()), "web-00001")
    assert "Last lines" in card
    assert re.search(r"9001x{100}", card)
