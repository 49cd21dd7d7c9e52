#!/usr/bin/env bash
# A QR code with a codeword of zeros that the standard does not have.
#
# segno 1.6.6: where the data of a code in byte mode end on the boundary of a codeword, as they always do in versions
# 1 to 9 (4 bits of mode, 8 of length, the bytes, 4 of terminator), ISO/IEC 18004, 7.4.10, has no bits to add. segno
# adds eight: `8 - (length % 8)` is 8, not 0. So between data and the pad codewords 0xEC, 0x11 stands one of zeros, the
# pad codewords come one place late, and every code that is not full to the last byte differs in its padding and its
# error correction from what another encoder draws. Readers stop at the terminator and see nothing of it.
#
# Here the same text is drawn by segno and by qrcode 8.2 with the same version, level and mask: they differ in some
# modules, and are equal only where the text fills the version. zxing-cpp reads both.
# What it means for us: the kiosk's own encoder is held to segno module by module only at lengths that fill a version,
# and to a reader at all others; a test that compares posters by their modules would forbid another encoder.
set -euo pipefail
PYTHON=${PYTHON:-python3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$PYTHON" -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check segno==1.6.6 qrcode==8.2 zxing-cpp==2.3.0 "numpy==2.4.0"
"$folder/env/bin/python" - << 'PYTHON'
import numpy as np
import qrcode
import segno
import zxingcpp
from qrcode.util import MODE_8BIT_BYTE, QRData

MOST = 32  # bytes in version 2 at level L


def by_segno(text):
    drawn = segno.make(text, version=2, error="l", mask=0, boost_error=False, mode="byte", micro=False)
    return np.array([list(row) for row in drawn.matrix], bool)


def by_qrcode(text):
    code = qrcode.QRCode(version=2, error_correction=qrcode.constants.ERROR_CORRECT_L, mask_pattern=0, border=0)
    code.add_data(QRData(text.encode(), mode=MODE_8BIT_BYTE))
    code.make(fit=False)
    return np.array(code.modules, bool)


def read(modules):
    image = np.kron(np.pad(~modules, 4, constant_values=True), np.ones((4, 4))).astype(np.uint8) * 255
    return zxingcpp.read_barcodes(image)[0].text


differing = {}
for length in (10, 20, 31, MOST):
    text = "a" * length
    one, other = by_segno(text), by_qrcode(text)
    assert read(one) == read(other) == text
    differing[length] = int((one != other).sum())
    print(f"segno {segno.__version__}, {length} of {MOST} bytes: {differing[length]} modules differ; both are read")
assert differing.pop(MOST) == 0, "they differ where there is nothing to pad"
assert all(differing.values()), "segno pads as the standard has it now"
PYTHON
