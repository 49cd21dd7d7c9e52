"""Questionnaires drawn at random over our whole model, sound by our own checks."""

from hypothesis import assume
from hypothesis import strategies as st

from surveys import Questionnaire
from surveys.consistency import breaches

SIGNS = "aăâbcdđeêghiklmnoôơpqrstuưvxyÁỘỬ AZ09.,;:!?'\"()&<%/-–_+*#@"
WORDS = st.text(SIGNS, min_size=1, max_size=20).map(str.strip).filter(
    lambda text: text and not text.startswith("=") and "../" not in text
)  # fmt: skip
CODES = st.from_regex(r"[A-Za-z][A-Za-z0-9_.]{0,31}", fullmatch=True)


def texts(further):
    least = {"vi": WORDS, "en": WORDS}
    return st.fixed_dictionaries(least, optional=dict.fromkeys(further, WORDS))


@st.composite
def no_opinions(draw, text, taken):
    if draw(st.booleans()):
        return None
    value = draw(st.sampled_from([None, 0, 99, 255]).filter(lambda v: v not in taken))
    return {"value": value, "text": draw(text)}


@st.composite
def scales(draw, text):
    count = draw(st.integers(2, 6))
    return {
        "levels": [{"value": n, "text": draw(text)} for n in range(1, count + 1)],
        "satisfied": sorted(draw(st.sets(st.integers(1, count), min_size=1))),
        "no_opinion": draw(no_opinions(text, range(1, count + 1))),
    }


@st.composite
def items(draw, code, text, names, earlier, scale_of):
    kind = draw(st.sampled_from(
        ["rated", "rated", "single_choice", "multiple_choice", "zero_to_ten", "percent", "number",
         "short_text", "long_text"]
    ))  # fmt: skip
    item = {"code": code, "kind": kind, "text": draw(text), "required": draw(st.booleans())}
    values = []
    match kind:
        case "rated":
            item["scale"] = draw(st.sampled_from(names))
            values = [level["value"] for level in scale_of[item["scale"]]["levels"]]
        case "single_choice":
            values = draw(st.lists(st.integers(1, 254), min_size=2, max_size=5, unique=True))
        case "multiple_choice":
            numbers = draw(st.permutations(range(1, draw(st.integers(2, 5)) + 1)))
            item["options"] = [{"value": v, "text": draw(text)} for v in numbers]
        case "zero_to_ten":
            values = list(range(11))
        case "percent":
            item["maximum"] = draw(st.integers(1, 1000))
        case "number":
            decimals = draw(st.integers(0, 4))
            low = draw(st.integers(-1000, 1000))
            high = draw(st.integers(low + 1, low + 10_000))
            item |= {"decimals": decimals, "minimum": low / 10**decimals}
            item |= {"maximum": high / 10**decimals, "unit": draw(st.none() | text)}
        case "short_text":
            item["max_length"] = draw(st.integers(1, 200))
        case "long_text":
            item["max_length"] = draw(st.integers(1, 4000))
    if kind == "single_choice":
        item["options"] = [{"value": value, "text": draw(text)} for value in values]
    if kind not in ("rated", "short_text", "long_text"):
        taken = values or [option["value"] for option in item.get("options", ())]
        item["no_opinion"] = draw(no_opinions(text, taken))
    if earlier and draw(st.booleans()):
        target = draw(st.sampled_from(sorted(earlier)))
        chosen = draw(st.sets(st.sampled_from(earlier[target]), min_size=1))
        item["shown_if"] = {"item": target, "is": sorted(chosen)}
    if kind != "multiple_choice" and values:
        earlier[code] = values
    return item


@st.composite
def questionnaires(draw):
    further = draw(st.sampled_from([{}, {"km": "ភាសាខ្មែរ"}]))
    text = texts(further)
    names = ["satisfaction", "mức độ 1"][: draw(st.integers(1, 2))]
    scale_of = {name: draw(scales(text)) for name in names}
    codes = draw(st.lists(CODES, min_size=2, max_size=7, unique=True))
    earlier = {}
    drawn = [draw(items(code, text, names, earlier, scale_of)) for code in codes]
    parts = draw(st.lists(CODES, min_size=1, max_size=2, unique=True))
    cut = draw(st.integers(1, len(drawn)))
    split = draw(st.integers(1, cut)) if len(parts) == 2 and cut > 1 else cut
    slices = [part for part in (drawn[:split], drawn[split:cut]) if part]
    factors = [
        {"code": code, "title": draw(text), "items": part}
        for code, part in zip(parts, slices, strict=False)
    ]
    assume(len(factors) == len(slices))
    rated = [f["code"] for f in factors if any(i["kind"] == "rated" for i in f["items"])]
    assume(rated)
    form = Questionnaire.model_validate(
        {
            "code": draw(st.from_regex(r"[a-z][a-z0-9]{1,20}(-[a-z0-9]{1,5})?", fullmatch=True)),
            "version": draw(st.integers(1, 32767)),
            "title": draw(text),
            "source": draw(text),
            "unverified": draw(st.lists(WORDS, max_size=1)),
            "languages": further,
            "estimated_minutes": draw(st.integers(1, 60)),
            "keep_partial": draw(st.booleans()),
            "scales": scale_of,
            "factors": factors,
            "more": drawn[cut:],
            "scoring": {
                "index": draw(st.lists(st.sampled_from(rated), min_size=1, unique=True)),
                "leave_out": draw(st.lists(st.sampled_from(codes), max_size=1)),
            },
        }
    )
    assume(not list(breaches(form)))
    return form
