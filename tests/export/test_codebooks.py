"""DDI-Codebook 2.5: elements in the order that its schema wants, whatever the form.

The schema itself (LGPL, codebook.xsd of 17 January 2012) found all forms' codebooks valid; here
stand the sequences of it that we use.
"""

from datetime import UTC, date, datetime
from xml.etree import ElementTree

import pytest

from app.export.codebook import Codebook
from app.export.columns import columns_of
from app.export.ddi import NAMESPACE, ddi
from app.export.formats import Format
from app.registry.questionnaires import Published
from surveys import Questionnaire, load_directory

#: What may stand in an element, in order; of ``*`` any number, of others one.
SEQUENCES = {
    "codeBook": "docDscr* stdyDscr* fileDscr* dataDscr* otherMat*",
    "stdyDscr": "citation* studyAuthorization* stdyInfo* studyDevelopment* method* dataAccs* "
    "othrStdyMat* notes*",
    "citation": "titlStmt rspStmt prodStmt distStmt* serStmt* verStmt* biblCit* holdings* notes*",
    "titlStmt": "titl subTitl* altTitl* parTitl* IDNo*",
    "prodStmt": "producer* copyright* prodDate* prodPlac* software* fundAg* grantNo*",
    "stdyInfo": "studyBudget* subject* abstract* sumDscr* qualityStatement* notes*",
    "sumDscr": "timePrd* collDate* nation* geogCover* geogUnit* geoBndBox* boundPoly* anlyUnit* "
    "universe* dataKind*",
    "method": "dataColl* notes* anlyInfo stdyClas*",
    "dataColl": "timeMeth* dataCollector* collectorTraining* frequenc* sampProc* sampleFrame* "
    "targetSampleSize* deviat* collMode* resInstru* instrumentDevelopment* sources collSitu* "
    "actMin* ConOps* weight* cleanOps*",
    "dataAccs": "setAvail* useStmt* notes*",
    "useStmt": "confDec* specPerm* restrctn* contact* citReq* deposReq* conditions* disclaimer*",
    "fileDscr": "fileTxt* locMap notes*",
    "fileTxt": "fileName fileCitation fileCont fileStrc dimensns fileType format filePlac "
    "dataChck ProcStat dataMsng software* verStmt",
    "dimensns": "caseQnty* varQnty* logRecL* recPrCas* recNumTot*",
    "dataDscr": "varGrp* nCubeGrp* var* nCube* notes*",
    "var": "location* labl* imputation security embargo respUnit anlysUnit qstn* valrng* "
    "invalrng* undocCod* universe* TotlResp sumStat* txt* stdCatgry* catgryGrp* catgry* codInstr* "
    "verStmt* concept* derivation varFormat geoMap* catLevel* notes*",
    "qstn": "preQTxt* qstnLit* postQTxt* forward* backward* ivuInstr*",
    "valrng": "item* range* key* notes*",
    "catgry": "catValu labl* txt* catStat* mrow",
}
FORMS = sorted(load_directory().values(), key=lambda form: form.code)


def book_of(form, **more):
    columns = columns_of([Published(1, form, datetime(2026, 1, 1, tzinfo=UTC))], with_texts=True)
    title, source = (
        {at: text.in_language(at) for at in ("vi", "en")} for text in (form.title, form.source)
    )
    about = {"units": ("77",), "first": date(2026, 1, 1), "last": None, "rows": None} | more
    return Codebook(
        schema=columns.schema, format=Format.CSV, language="vi", title=title, source=source,
        questionnaire=form.code, versions=(form.version,), channels=(), aside=False, texts=True,
        kept_from=date.min, made_at=datetime.now(UTC), synthetic=True, **about,
    )  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.code)
def test_elements_stand_in_the_order_of_the_schema(form):
    for more in ({}, {"units": (), "first": None, "rows": 12}):
        root = ElementTree.fromstring(ddi(book_of(form, **more)))
        ids = [each.get("ID") for each in root.iter() if each.get("ID")]
        assert len(ids) == len(set(ids))
        for element in root.iter():
            space, _, name = element.tag[1:].partition("}")
            assert space == NAMESPACE
            children = [child.tag.partition("}")[2] for child in element]
            if not children:
                continue
            sequence = SEQUENCES[name].split()
            places = {each.rstrip("*"): place for place, each in enumerate(sequence)}
            assert [places[child] for child in children] == sorted(places[c] for c in children)
            for child in set(children):
                assert f"{child}*" in sequence or children.count(child) == 1, (name, child)
        assert {var.get("files") for var in root.iter(f"{{{NAMESPACE}}}var")} == {"F1"}


def test_a_range_has_all_digits_of_its_bounds():
    form = next(form for form in FORMS if form.code == "sipas-desk")
    cost = {"code": "cost", "kind": "number", "minimum": 0.5, "maximum": 12_345_678,
            "text": {"vi": "Chi phí?", "en": "Cost?"}}  # fmt: skip
    document = form.model_dump(mode="json", by_alias=True)
    form = Questionnaire.model_validate(document | {"more": [*document["more"], cost]})
    root = ElementTree.fromstring(ddi(book_of(form)))
    (var,) = (each for each in root.iter(f"{{{NAMESPACE}}}var") if each.get("name") == "cost")
    (found,) = var.iter(f"{{{NAMESPACE}}}range")
    assert found.attrib == {"min": "0.5", "max": "12345678"}
