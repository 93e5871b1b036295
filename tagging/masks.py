"""What points to a person in a text: numbers, plates, addresses on the net, names; found and masked.

It errs on the safe side: a sum of money masked by mistake costs less than a telephone number shown.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

SHOWN = {
    "email": "[email]",
    "link": "[liên kết]",
    "plate": "[biển số]",
    "id": "[số giấy tờ]",
    "phone": "[số điện thoại]",
    "account": "[số tài khoản]",
    "number": "[dãy số]",
    "name": "[tên]",
}

_GAP = r"[ .\-–]?"  # between the digits of a number
_DIGIT = r"[\dxX*]"  # people hide some digits themselves; the rest is still telling
_SIGN = r"(?:[A-ZĐ]{1,2}\d?|MĐ\d?|NG|NN|QT|CD|LD|DA|KT|HC|TĐ|KC|QA|QC|QB|QH|QK|QP)"

# The first pattern that matches at a place wins, so the more certain stand first.
_PATTERNS = (
    ("email", r"(?<![\w.+\-])[\w.+\-]{1,64}\s?(?:@|\(at\)|\[at\])\s?[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,4}"),
    ("link", r"(?:https?://|www\.)[^\s,;]{1,2000}"),
    ("link", r"\b(?:[\w\-]{1,63}\.){1,4}(?:com|vn|net|org|info|xyz|top|me|gg|ly|io|co|club|shop|link|site|online|vip|cc|tv|app|win|pro|live)\b(?:/\S{0,2000})?"),
    ("link", r"(?<![\w@])@[A-Za-z_][\w.]{2,40}"),
    ("link", r"(?i:\b(?:facebook|fb|zalo|tele|telegram|tiktok|insta|instagram|nick|acc)\b(?: tên| là|:| nick| id){0,2} )(?P<link>[\w.\-]{3,40})"),
    ("plate", r"\b\d{2}[ \-]?(?:NG|NN|QT|MĐ|MD|LD|DA|KT|HC|CD)[ \-]?\d{1,3}[ \-.]?\d{2,5}\b"),
    ("plate", r"\b\d{2}[ \-]\d{3}[ \-](?:NG|NN|QT)[ \-]\d{2}\b"),
    ("plate", rf"\b\d{{2}} ?[-.]? ?{_SIGN} ?[-. ]? ?(?:{_DIGIT}{{3}}[. ]?{_DIGIT}{{2}}|{_DIGIT}{{2}}[. ]{_DIGIT}{{2}}|{_DIGIT}{{4,5}}|{_DIGIT}{{3}})(?![\dA-Za-z])"),
    ("plate", r"\bMĐ\d?[ \-.]?\d{2,3}[ \-.]?\d{2,3}\b"),
    ("plate", r"\b(?:A[A-DTVNPHK]|B[BCHKLPSTV]|H[ABCDEHNT]|K[ABCDKNPTV]|P[AGKMPQTX]|Q[ABHKMT]|T[CHKLMNT]|V[BTK])[ \-.]?\d{2}[ \-.]?\d{2}(?:[ \-.]?\d{2})?\b"),
    ("plate", rf"(?i:\b(?:biển(?: số)?(?: xe)?|bien(?: so)?(?: xe)?|bks|bsx|bs)\b[ :]{{0,3}}(?:(?:là|la) )?)(?P<plate>{_DIGIT}{{1,2}}[ \-.]?(?:[A-ZĐa-zđ]{{1,2}}\d?[ \-.]?)?{_DIGIT}[\dxX*. \-]{{2,7}})"),
    ("id", r"(?i:\b(?:cccd|cmnd|cmt|căn cước(?: công dân)?|can cuoc(?: cong dan)?|chứng minh(?: nhân dân| thư)?|chung minh(?: nhan dan| thu)?|hộ chiếu|ho chieu|passport|số định danh)\b[^\d\n]{0,12})(?P<id>[A-Z]?\d(?:[ .\-]?[\dxX*]){6,13})"),
    ("account", r"(?i:\b(?:stk|tk|tài khoản|tai khoan|số tk|so tk|vietcombank|vcb|techcombank|tcb|mb ?bank|mb|bidv|agribank|vietinbank|vtb|acb|vpbank|sacombank|tpbank|vib|shb|hdbank|ocb|msb|momo|zalopay|viettelpay|ví)\b[^\d\n]{0,20})(?P<account>\d(?:[ .\-]?[\dxX*]){5,18})"),
    ("phone", rf"(?<![\d.,])(?:\+ ?84|\(\+84\)|0084|84(?=[ .\-]?[3-9]\d))(?:{_GAP}[()]?{_DIGIT}){{8,10}}(?!\d)"),
    ("phone", rf"(?<![\d.,])0{_GAP}[35789](?:{_GAP}{_DIGIT}){{8,10}}(?!\d)"),
    ("phone", rf"(?<![\d.,])\(?02\d{{1,2}}\)?(?:{_GAP}{_DIGIT}){{7,8}}(?!\d)"),
    ("phone", r"(?<![\d.,])1[89]00(?:[ .\-]?\d){4,6}(?!\d)"),
    ("phone", r"(?i:\b(?:sđt|sdt|đt|điện thoại|dien thoai|gọi số|goi so|số|alo|zalo|hotline)\b[ :]{0,3})(?P<phone>0\d(?:[ .\-]?[\dxX*]){6,9})"),
    ("id", r"(?<![\d.,])0\d{2}(?:[ .\-]?\d){9}(?!\d)"),
    ("number", r"(?<![\d.,])\d{3}(?:[ \-.]?\d){5,16}(?!\d)(?!(?:[ .,]?\d)* ?(?:đ|đồng|vnđ|vnd|k|tr|triệu|tỷ|nghìn|ngàn|dong|trieu|ty|m2)\b)"),
)  # fmt: skip

_FAMILY = (
    "Nguyễn|Trần|Lê|Phạm|Hoàng|Huỳnh|Phan|Vũ|Võ|Đặng|Bùi|Đỗ|Hồ|Ngô|Dương|Lý|Đào|Đoàn|Vương|Trịnh|Trương|Đinh|Lâm|Phùng"
    "|Mai|Tô|Hà|Tạ|Cao|Lương|Lưu|Châu|Thái|Tăng|La|Thạch|Kim|Sơn|Danh|Chu|Tống|Quách|Mạc|Nông|Hứa|Lò|Quàng|Cầm|Bạch"
    "|Doãn|Khổng|Kiều|Lã|Nghiêm|Ninh|Phí|Thân|Triệu|Từ|Âu|Giang|Giàng|Vàng|Sùng|Thào|Hạng|Lầu|Hầu|Ksor|Siu|Rơ|Rmah|Y"
    "|Đàm|Đậu|Cù|Thiều|Viên|Bế|Cung|Nguyen|Tran|Le|Pham|Hoang|Huynh|Vu|Vo|Dang|Bui|Do|Ho|Ngo|Duong|Dinh|Truong|Trinh"
    "|Doan|Dao|Luong|Luu|Ly|To|Ta"
)
_KIN = (
    "anh|chị|ông|bà|cô|chú|bác|cậu|dì|mợ|thím|thằng|con|đứa|em|cháu|tên|bé|thầy|mụ|lão|gã|mệ|o|ôn|eng|ả|hắn|sếp|đồng chí"
    "|đ/c|đc|đại úy|thượng úy|trung úy|thiếu úy|thiếu tá|trung tá|thượng tá|đại tá|trưởng thôn|tổ trưởng|bí thư|chủ tịch"
    "|giám đốc|hiệu trưởng|trưởng công an|phó trưởng công an|đội trưởng|đội phó|cán bộ|bị can|đối tượng|nạn nhân|chồng|vợ"
    "|mẹ|bố|ba|má|tía|chi|ong|co|chu|bac|cau|thang|dong chi|ten|dai uy|thuong uy|trung uy|thieu uy|thieu ta|trung ta"
    "|to truong|truong thon|doi truong|can bo|doi tuong|chong|vo|me|bo"
)
_UPPER = "A-ZÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝĂĐĨŨƠƯẠẢẤẦẨẪẬẮẰẲẴẶẸẺẼẾỀỂỄỆỈỊỌỎỐỒỔỖỘỚỜỞỠỢỤỦỨỪỬỮỰỲỴỶỸ"
_CAPITAL = rf"[{_UPPER}](?:(?![{_UPPER}])[^\W\d_]){{0,6}}"
_NO_STREET = "".join(
    f"(?<!{word} )"
    for word in (
        "đường",
        "phố",
        "ngõ",
        "hẻm",
        "kiệt",
        "phường",
        "xã",
        "huyện",
        "trường",
        "chợ",
        "cầu",
        "bến",
        "duong",
        "pho",
    )
)
_SPOKEN_OF = r"(?!(?:Công [Aa]n|Cong [Aa]n|Cảnh [Ss]át|Canh [Ss]at|Việt Nam|Viet Nam)\b)"
_NAMES = (
    rf"(?i:\b(?:{_KIN})(?: tên là| ten la| tên| ten| là)?)[ :]{{1,3}}{_SPOKEN_OF}(?P<name>{_CAPITAL}(?: {_CAPITAL}){{0,4}})\b",
    rf"(?i:\b(?:tên là|họ tên|họ và tên|ten la|ho ten|ho va ten|tên|biệt danh|hay gọi là)\b)[ :]{{1,3}}(?P<name>[^\W\d_]{{1,12}}(?: {_CAPITAL}){{0,4}})\b",
    rf"{_NO_STREET}\b(?P<name>(?:{_FAMILY})(?: {_CAPITAL}){{1,4}})\b",
    rf"\b(?P<name>(?:{_FAMILY.upper()})(?: [{_UPPER}]{{1,7}}){{1,4}})\b",
    rf"(?i:\b(?:{_KIN}) )(?P<name>[A-ZĐ])\b(?![.\-]?\d)",
)
_RULES = tuple((kind, re.compile(pattern)) for kind, pattern in _PATTERNS) + tuple(
    ("name", re.compile(pattern)) for pattern in _NAMES
)


@dataclass(frozen=True)
class Found:
    """What was found: its kind, a key of `SHOWN`, and where it stands in the text."""

    kind: str
    start: int
    end: int


def found(text: str) -> list[Found]:
    """All that points to a person in `text`, in the order of the text, none over another.

    A name stays a suggestion: names typed in small letters without a title are not seen.
    """
    free = bytearray(b"\x01") * len(text)
    hits: list[Found] = []
    for kind, rule in _RULES:
        for match in rule.finditer(text):
            start, end = match.span(kind) if kind in rule.groupindex else match.span()
            if all(free[start:end]):
                free[start:end] = bytes(end - start)
                hits.append(Found(kind, start, end))
    return sorted(hits, key=lambda hit: hit.start)


def mask(text: str) -> str:
    """`text` (made NFC) with all that `found` sees replaced by what it is: "[số điện thoại]"."""
    text = unicodedata.normalize("NFC", text)
    return "".join(_pieces(text))


def _pieces(text: str) -> Iterator[str]:
    at = 0
    for hit in found(text):
        yield text[at : hit.start]
        yield SHOWN[hit.kind]
        at = hit.end
    yield text[at:]
