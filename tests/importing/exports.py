"""Files as other programs write them: their titles, words and oddities; the people are invented."""

import csv

from openpyxl import Workbook

from surveys import AnswerSheet, load_directory

FORMS = load_directory()
DESK = AnswerSheet(FORMS[("sipas-desk", 2)])
FACE = AnswerSheet(FORMS[("kiosk-face", 2)])
INPATIENT = AnswerSheet(FORMS[("moh-inpatient", 2)])
DESK_ITEMS = {item.code: item for item in DESK.form.items}


def asked(code):
    return DESK_ITEMS[code].text.vi


#: As Google Forms sends a Vietnamese form's answers out, by CSV.
GOOGLE = [
    ["Dấu thời gian", asked("A1"), f"B1. {asked('B1')}", f"Công chức [{asked('C1')}]", "Họ và tên",
     asked("trips"), "Ý kiến khác"],
    ["2026/10/24 9:30:00 SA GMT+7", "Rất hài lòng", "Hài lòng ", "Bình thường", "Nguyễn Văn An",
     "Một lần", "Tốt, nhanh"],
    ["2026/10/24 1:05:30 CH GMT+7", "Không hài lòng", "", "Hoàn toàn không hài lòng", "",
     "Bốn lần trở lên", ""],
]  # fmt: skip
KOBO = [
    ["start", "end", "can_bo/A1", "can_bo/B1", "can_bo/C1", "trips", "_id", "_uuid",
     "_submission_time", "_validation_status", "comment"],
    ["2026-10-24T08:00:00.000+07:00", "2026-10-24T08:03:20.000+07:00", "5", "4", "1", "2", "71",
     "90dd7750-f830-11e5-9070-7c7a9125d07d", "2026-10-24T01:03:44", "", "Ổn"],
    ["2026-10-24T09:00:00.000+07:00", "2026-10-24T09:01:00.000+07:00", "rat_hai_long", "", "2", "",
     "72", "a1dd7750-f830-11e5-9070-7c7a9125d07d", "2026-10-24T02:01:11", "", ""],
]  # fmt: skip
VV = [
    ["Response ID", "token", "Date submitted", "Last page", "Start language", "Date started",
     "IP address", "Chỗ ngồi", "Niêm yết", "Đi lại"],
    ["id", "token", "submitdate", "lastpage", "startlanguage", "startdate", "ipaddr", "A1", "B1",
     "trips"],
    ["84", "{question_not_shown}", "2026-10-24 13:36:07", "1", "vi", "2026-10-24 13:34:07",
     "192.0.2.1", "4.0000000000", "5.0000000000", "{question_not_shown}"],
    ["85", "", "", "1", "vi", "2026-10-24 13:34:07", "", "2.0000000000", "", ""],
    ["86", "", "1980-01-01 00:00:00", "1", "en", "2026-10-24 13:34:07", "", "2", "1", "1"],
]  # fmt: skip
LIMESURVEY = [
    ["id. Response ID", "submitdate. Date submitted", "startlanguage. Start language",
     f"A[A1]. Tiếp cận [{asked('A1')}]", f"A[A2]. Tiếp cận [{asked('A2')}]",
     "trips. Đi lại mấy lần?"],
    ["7", "2026-10-24 13:36:07", "vi", "\ufeff5 (Rất hài lòng)", "3", "Hai lần"],
]  # fmt: skip
QUALTRICS = [
    ["StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)", "Finished",
     "RecordedDate", "ResponseId", "UserLanguage", "A1", "Q7_1", "Q7_2", "Q9_TEXT"],
    ["Start Date", "End Date", "Response Type", "IP Address", "Progress", "Duration (in seconds)",
     "Finished", "Recorded Date", "Response ID", "User Language", asked("A1"),
     f"Thủ tục - {asked('B1')}", f"Thủ tục - {asked('B2')}", "Khác - Text"],
    ['{"ImportId":"startDate","timeZone":"Asia/Saigon"}', '{"ImportId":"endDate"}',
     '{"ImportId":"status"}', '{"ImportId":"ipAddress"}', '{"ImportId":"progress"}',
     '{"ImportId":"duration"}', '{"ImportId":"finished"}', '{"ImportId":"recordedDate"}',
     '{"ImportId":"_recordId"}', '{"ImportId":"userLanguage"}', '{"ImportId":"QID1"}',
     '{"ImportId":"QID7_1"}', '{"ImportId":"QID7_2"}', '{"ImportId":"QID9_TEXT"}'],
    ["2026-10-24 09:00:00", "2026-10-24 09:02:00", "IP Address", "192.0.2.7", "100", "120", "True",
     "2026-10-24 09:02:01", "R_1gKx", "VI", "1", "2", "5", "x"],
    ["2026-10-25 09:00:00", "2026-10-25 09:02:00", "IP Address", "192.0.2.8", "40", "200000",
     "False", "2026-10-25 09:02:01", "R_2abc", "VI", "2", "", "", ""],
]  # fmt: skip
FRIENDS_AND_FAMILY = [
    ["time", "rating", "free_text", "do_better", "surgery", "free_text_len", "rating_score"],
    ["2023-07-13 15:28:00", "Very good", "", "", "Phòng khám A", "13.0", "5.0"],
    ["2023-07-13 15:29:00", "Neither good nor poor", "", "waits", "Phòng khám A", "4", "3.0"],
    ["2023-07-13 15:29:00", "Very poor", "", "", "Phòng khám B", "", "1.0"],
    ["2023-07-13 15:40:00", "Don’t know", "", "", "Phòng khám A", "", ""],
]  # fmt: skip


def write(file, rows, delimiter=","):
    if file.suffix == ".xlsx":
        book = Workbook()
        book.active.title = "Phiếu"
        for row in rows:
            book.active.append(row)
        book.save(file)
        return file
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=delimiter).writerows(rows)
    return file
