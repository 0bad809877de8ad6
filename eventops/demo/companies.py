"""Three hundred companies and their people, targeted at the shows."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from accounts.models import Account, AccountTag, Stand, Tag, TargetAccount
from common.text import normalise
from eventops.demo.places import INDUSTRIES, JOBS, PLACES, TAGS, Place
from eventops.demo.world import Chance, World
from people.models import Person, PersonEmail, PersonTag

PEOPLE_PER_ACCOUNT = (1, 2, 2, 3, 3, 3, 4, 4, 5)
HALLS = ("Hall 2", "Hall 3", "Hall 4", "Hall 5", "Hall 7", "Hall 9")
NOTES = (
    "Fleet of 80 trucks, contract ends next spring.", "Two plants; the second one is being automated now.",
    "Wants references from the food industry.", "Compares us with two others.", "Asked for the price list twice.",
)  # fmt: skip


@dataclass
class _Rows:
    accounts: list[Account] = field(default_factory=list)
    targets: list[TargetAccount] = field(default_factory=list)
    stands: list[Stand] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    emails: list[PersonEmail] = field(default_factory=list)


def seed_companies(world: World) -> None:
    if TargetAccount.objects.filter(event=world.show).exists():
        return
    chance, rows, taken = Chance("companies"), _Rows(), Counter[str]()
    for place in PLACES:
        for number in range(place.share):
            _company(world, chance, rows, place, number, taken)
    Account.objects.bulk_create(rows.accounts)
    TargetAccount.objects.bulk_create(rows.targets)
    Stand.objects.bulk_create(rows.stands)
    Person.objects.bulk_create(rows.people)
    PersonEmail.objects.bulk_create(rows.emails)
    _tags(world, chance, rows)


def _company(world: World, chance: Chance, rows: _Rows, place: Place, number: int, taken: Counter[str]) -> None:
    stems, trades = place.stems.split(","), place.trades.split(",")
    # Every stem meets every trade before a pair comes again.
    stem, trade = stems[number % len(stems)], trades[(number % len(stems) + number // len(stems)) % len(trades)]
    (native_stem, latin_stem), (native_trade, latin_trade) = _word(stem), _word(trade)
    form = chance.choice(place.forms.split(","))
    name = f"{native_stem}{'' if place.joined else ' '}{native_trade}"
    name = f"{form}{name}" if place.family_first and "株" in form else f"{name} {form}".replace(" 有", "有")
    label = f"{latin_stem}-{latin_trade}".replace(" ", "-")
    taken[label] += 1
    domain = f"{label}{taken[label] if taken[label] > 1 else ''}.example"
    account = Account(
        id=chance.uuid(),
        organization=world.organization,
        name=name,
        website=f"https://www.{domain}",
        industry=chance.choice(INDUSTRIES),
        city=chance.choice(place.cities.split(",")),
        country=place.country,
        phone=f"{place.dialling} 555 {chance.randrange(1000, 9999)}",
        employee_count=chance.choice([None, 35, 60, 120, 240, 480, 900, 1_800, 4_200, 11_000]),
        revenue=chance.choice([None, 4_000_000, 12_000_000, 38_000_000, 95_000_000, 410_000_000]),
        source=chance.choice(
            ["Exhibitor list", "Exhibitor list", "Exhibitor list", "Referral", "Website", "Previous show"]
        ),
        notes=chance.choice(NOTES) if chance.likely(0.15) else "",
    )
    account.derive()
    account.domain = domain  # the public suffix list knows no .example
    rows.accounts.append(account)
    _targets(world, chance, rows, account)
    for _ in range(chance.choice(PEOPLE_PER_ACCOUNT)):
        _person(world, chance, rows, place, account, domain, taken)


def _word(text: str) -> tuple[str, str]:
    native, _, latin = text.partition("/")
    return native, latin or normalise(native).replace("'", "")


def _targets(world: World, chance: Chance, rows: _Rows, account: Account) -> None:
    tier = chance.choices(["A", "B", "C", "D", ""], [12, 27, 33, 12, 16])[0]
    owner = chance.choice(world.reps) if chance.likely({"A": 0.93, "B": 0.85}.get(tier, 0.55)) else None
    account.owner = owner
    status = chance.choices(["PROSPECTING", "ENGAGED", "WON", "LOST", ""], [52, 32, 4, 7, 5])[0]
    target = TargetAccount(
        id=chance.uuid(),
        organization=world.organization,
        event=world.show,
        account=account,
        tier=tier,
        status=status,
        stage="Qualified" if status in ("ENGAGED", "WON") or chance.likely(0.18) else "Lead",
        owner=owner,
        name_norm=account.name_norm,
    )
    rows.targets.append(target)
    for _ in range(chance.choices([0, 1, 2], [12, 80, 8])[0]):
        number = f"{chance.choice('ABCDEFG')}{chance.randrange(10, 79)}"
        rows.stands.append(
            Stand(organization=world.organization, target=target, hall=chance.choice(HALLS), number=number)
        )
    if chance.likely(0.22):
        rows.targets.append(
            TargetAccount(
                id=chance.uuid(),
                organization=world.organization,
                event=world.previous,
                account=account,
                tier=tier or "C",
                status=chance.choice(["ENGAGED", "LOST", "WON", "PROSPECTING"]),
                stage=chance.choice(["Checked In", "Checked In", "No Show", "Qualified", "Lead"]),
                owner=owner,
                name_norm=account.name_norm,
            )
        )


def _person(
    world: World, chance: Chance, rows: _Rows, place: Place, account: Account, domain: str, taken: Counter[str]
) -> None:
    (first, latin_first), (last, latin_last) = (
        _word(chance.choice(names.split(","))) for names in (place.first, place.last)
    )
    title, seniority, department, persona = chance.choice(JOBS)
    local = f"{latin_first}.{latin_last}".replace(" ", "")
    taken[f"{local}@{domain}"] += 1
    again = taken[f"{local}@{domain}"]
    has_email = chance.likely(0.93)
    name = f"{last}{'' if place.joined else ' '}{first}" if place.family_first else f"{first} {last}"
    person = Person(
        id=chance.uuid(),
        organization=world.organization,
        account=account,
        name=name,
        first_name=first,
        last_name=last,
        title=title,
        seniority=seniority,
        department=department,
        email=f"{local}{again if again > 1 else ''}@{domain}" if has_email else "",
        mobile=f"{place.dialling} 555 {chance.randrange(1000, 9999)}" if chance.likely(0.4) else "",
        city=account.city,
        country=account.country,
        time_zone=place.zone,
        source=account.source,
        next_touchpoint_on=world.today + timedelta(days=chance.randrange(-4, 18)) if chance.likely(0.12) else None,
        owner=account.owner,
        **{persona: True},
    )
    person.derive()
    rows.people.append(person)
    if has_email:
        rows.emails.append(
            PersonEmail(
                organization=world.organization, person=person, email=person.email, email_norm=person.email_norm,
                is_primary=True,
            )
        )  # fmt: skip


def _tags(world: World, chance: Chance, rows: _Rows) -> None:
    for name in TAGS:
        Tag.objects.get_or_create(
            organization=world.organization, name_norm=normalise(name), defaults={"name": name, "id": chance.uuid()}
        )
    tags = list(Tag.objects.for_org(world.organization).order_by("name_norm"))
    AccountTag.objects.bulk_create(
        AccountTag(organization=world.organization, account=account, tag=tag)
        for account in rows.accounts
        for tag in chance.sample(tags, chance.choices([0, 1, 2], [60, 30, 10])[0])
    )
    PersonTag.objects.bulk_create(
        PersonTag(organization=world.organization, person=person, tag=tag)
        for person in rows.people
        for tag in chance.sample(tags, chance.choices([0, 1], [80, 20])[0])
    )
