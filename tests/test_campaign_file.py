from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.campaign import Campaign, is_rule, last_due
from storage.campaign_file import BadCampaign, read_campaign
from tests.house import ROOT, ZONE

SHIPPED = sorted(p.stem for p in (ROOT / "campaigns").glob("*.toml") if p.stem != "organisations")
GOOD = """\
id = "poll"
languages = ["vi"]
when = "once"

[title]
vi = "Thăm dò"

[who]
roles = ["officer"]

[[question]]
key = "mood"
kind = "scale"
text = { vi = "Thế nào?" }

[[question]]
key = "which"
kind = "one"
text = { vi = "Cái nào?" }
options = [
  { id = "one", vi = "Một" },
  { id = "two", vi = "Hai" },
]
"""


@pytest.mark.parametrize("name", SHIPPED)
def test_every_campaign_that_comes_along_is_good_and_bears_its_file_s_name(name: str) -> None:
    campaign = read_campaign(ROOT / "campaigns" / f"{name}.toml")
    assert campaign.id == name
    assert campaign.languages == ("vi", "en")


def test_what_the_issue_asks_for_comes_along() -> None:
    assert SHIPPED == [
        "draft-comments",
        "hot-topic",
        "monthly-pulse",
        "nine-months",
        "opinion-round",
    ]


def refused(tmp_path: Path, old: str, new: str) -> str:
    assert old in GOOD
    path = tmp_path / "c.toml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadCampaign) as found:
        read_campaign(path)
    return str(found.value)


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ('id = "poll"', 'id = "Poll!"', 1, "an id is a-z"),
        ('id = "poll"', 'id = "poll', 1, "Illegal character"),
        ('languages = ["vi"]', 'languages = ["vi", "en"]', 1, "missing in en"),
        ('languages = ["vi"]', 'languages = ["fr"]', 2, "'vi' or 'en'"),
        ('when = "once"', 'when = "every day"', 3, "a cron rule"),
        ('when = "once"', 'when = "* * * * *"', 3, "a cron rule"),
        ('when = "once"', 'when = "meeting-40 08:00"', 3, "a cron rule"),
        ('when = "once"', 'opens = "once"', 3, "not permitted"),
        ('roles = ["officer"]', 'roles = ["citizen"]', 9, "'collaborator' or 'officer'"),
        ('roles = ["officer"]', "roles = []", 9, "at least 1 item"),
        ('key = "which"', 'key = "mood"', 1, "two questions have one key"),
        ('key = "which"', 'key = "promise"', 17, "use another key"),
        ('key = "which"', 'key = "Which one"', 17, "a key is a-z"),
        ('kind = "scale"', 'kind = "star"', 13, "'scale'"),
        ('kind = "one"', 'kind = "text"', 16, "has no options"),
        ('  { id = "two", vi = "Hai" },\n', "", 16, "2 to 20 options"),
        ('{ id = "two", vi = "Hai" }', '{ id = "two", vi = "" }', 22, "at least 1 character"),
        ('{ id = "two", vi = "Hai" }', '{ id = "one", vi = "Hai" }', 16, "one id"),
        ('key = "mood"', 'key = "mood"\nrequired = true', 1, "none may be required"),
        ('vi = "Thăm dò"', 'vi = ""', 1, "missing in vi"),
        ("[title]", "[tittle]", 5, "not permitted"),
        ('key = "mood"', 'key = 2026-11-10', 12, "a key is a-z"),
    ],
)  # fmt: skip
def test_a_mistake_refuses_the_whole_file_with_line_and_reason(
    tmp_path: Path, old: str, new: str, line: int, reason: str
) -> None:
    said = refused(tmp_path, old, new)
    assert said.startswith(f"c.toml: line {line}: "), said
    assert reason in said


def test_eleven_questions_are_too_many_and_none_too_few(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    one = '[[question]]\nkey = "k{}"\nkind = "scale"\ntext = {{ vi = "?" }}\n'
    head = GOOD.split("[[question]]")[0]
    path.write_text(head + "".join(one.format(n) for n in range(11)))
    with pytest.raises(BadCampaign, match="at most 10"):
        read_campaign(path)
    path.write_text(head)
    with pytest.raises(BadCampaign, match="question: Field required"):
        read_campaign(path)
    path.write_bytes(b'id = "a"\n\n\xff\xfe')
    with pytest.raises(BadCampaign, match="line 3: not UTF-8"):
        read_campaign(path)
    with pytest.raises(BadCampaign, match="cannot be read"):
        read_campaign(tmp_path / "none.toml")


# -- when rounds are due --------------------------------------------------------------------------


def due(when: str, now: str, since: str = "2026-01-01 00:00", meeting: int = 25) -> str | None:
    campaign = Campaign.model_construct(when=when)
    moments = [datetime.fromisoformat(f"{each}:00").replace(tzinfo=ZONE) for each in (since, now)]
    found = last_due(campaign, *(each.astimezone(UTC) for each in moments), ZONE, meeting)
    return found.astimezone(ZONE).strftime("%Y-%m-%d %H:%M") if found else None


@pytest.mark.parametrize(
    ("when", "now", "expected"),
    [
        ("meeting-7 08:00", "2026-11-18 07:59", "2026-10-18 08:00"),
        ("meeting-7 08:00", "2026-11-18 08:00", "2026-11-18 08:00"),
        ("meeting-28 08:00", "2026-02-27 09:00", "2026-02-25 08:00"),
        ("0 8 L * *", "2026-03-01 00:00", "2026-02-28 08:00"),
        ("0 8 L * *", "2028-03-01 00:00", "2028-02-29 08:00"),
        ("0 8 31 * *", "2026-07-01 00:00", "2026-05-31 08:00"),
        ("30 9 * * 1", "2026-11-10 00:00", "2026-11-09 09:30"),
        ("2026-12-01 08:00", "2026-12-01 08:00", "2026-12-01 08:00"),
        ("2026-12-01 08:00", "2026-12-01 07:59", None),
        ("once", "2026-12-01 07:59", "2026-01-01 00:00"),
    ],
)
def test_when_a_round_was_last_due(when: str, now: str, expected: str | None) -> None:
    assert is_rule(when)
    assert due(when, now) == expected


def test_nothing_is_due_from_before_a_campaign_was_put_in_force() -> None:
    assert due("0 8 1 * *", "2026-11-20 00:00", since="2026-11-02 00:00") is None


def test_a_meeting_early_in_the_month_is_announced_in_the_month_before() -> None:
    assert due("meeting-7 08:00", "2026-11-27 09:00", meeting=3) == "2026-11-26 08:00"
    day = datetime(2026, 1, 10, tzinfo=ZONE)
    for _ in range(400):
        day += timedelta(days=1)
        found = due("meeting-7 08:00", day.strftime("%Y-%m-%d %H:%M"), "2025-06-01 00:00", 3)
        assert found is not None and found <= day.strftime("%Y-%m-%d %H:%M")
