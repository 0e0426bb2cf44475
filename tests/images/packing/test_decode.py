"""One file becomes one square of pixels, or a reason."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps

from glauke.files import quiet_pillow
from glauke.images.packing._decode import UndecodableError, decode, measure

RED, WHITE, BLACK = (255, 0, 0), (255, 255, 255), (0, 0, 0)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def flat(mode: str, colour: object, kind: str = "PNG", **options: object) -> bytes:
    return saved(Image.new(mode, (8, 8), colour), kind, **options)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
def test_every_format_is_read_by_its_content(kind):
    pixels = decode(flat("RGB", RED, kind), size=8, channels=3)
    assert pixels.shape == (8, 8, 3)
    assert np.abs(pixels.astype(int) - RED).max() <= 4


def palette_with_transparency() -> Image.Image:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([*BLACK, *RED])
    image.info["transparency"] = 0
    image.paste(1, (0, 0, 4, 8))
    return image


@pytest.mark.parametrize(
    ("data", "colour"),
    [
        (flat("L", 77), (77, 77, 77)),
        (flat("1", 1), WHITE),
        (flat("LA", (0, 255)), BLACK),
        (flat("LA", (0, 0)), WHITE),
        (flat("RGBA", (255, 0, 0, 255)), RED),
        (flat("RGBA", (255, 0, 0, 0)), WHITE),
        (flat("RGBA", (0, 0, 0, 51)), (204, 204, 204)),
        (flat("P", 3), tuple(Image.new("P", (1, 1), 3).convert("RGB").getpixel((0, 0)))),
        (flat("I;16", 0x4D80), (0x4D, 0x4D, 0x4D)),
        (flat("CMYK", (0, 255, 255, 0), "JPEG"), (254, 0, 0)),
        (flat("RGB", RED, transparency=RED), WHITE),
    ],
    ids=[
        "L",
        "1",
        "LA",
        "LA clear",
        "RGBA",
        "RGBA clear",
        "RGBA part",
        "P",
        "16 bit",
        "CMYK",
        "RGB with a clear colour",
    ],
)
def test_every_mode_becomes_rgb_over_white(data, colour):
    pixels = decode(data, size=8, channels=3)
    assert np.abs(pixels.astype(int) - np.array(colour)).max() <= 3


def test_a_palette_with_a_clear_colour_lies_over_white():
    pixels = decode(saved(palette_with_transparency()), size=8, channels=3)
    assert (pixels[:, :4] == RED).all() and (pixels[:, 4:] == WHITE).all()


def test_one_channel_is_grey():
    assert decode(flat("L", 9), size=8, channels=1).tolist() == np.full((8, 8, 1), 9).tolist()
    assert decode(flat("RGB", WHITE), size=8, channels=1).max() == 255


def test_an_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (8, 8), colour) for colour in (RED, BLACK)]
    for kind in ("GIF", "WEBP", "PNG"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert (decode(data, size=8, channels=3) == RED).all(), kind


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_the_turn_in_exif_is_applied(kind, turn):
    rng = np.random.default_rng(turn)
    image = Image.fromarray(rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)).resize((36, 24), Image.Resampling.NEAREST)
    exif = Image.Exif()
    exif[0x0112] = turn
    data = saved(image, kind, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(BytesIO(data))).convert("RGB")
    left, top = (upright.width - 24) // 2, (upright.height - 24) // 2
    expected = np.asarray(upright.crop((left, top, left + 24, top + 24)))
    assert np.array_equal(decode(data, size=24, channels=3), expected)
    assert measure(data) == upright.size


def test_broken_exif_leaves_the_picture_as_it_is():
    data = flat("RGB", RED, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    with quiet_pillow():
        assert decode(data, size=8, channels=3).shape == (8, 8, 3)


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (1, 1), (1, 3000), (3000, 1), (640, 480), (7, 8)])
def test_any_shape_becomes_the_square(shape):
    assert decode(saved(Image.new("RGB", shape, RED)), size=16, channels=3).tolist() == [[list(RED)] * 16] * 16


def test_the_middle_is_kept_and_the_right_size_is_not_touched(picture):
    wide = Image.open(BytesIO(picture("wide", size=(20, 8))))
    assert np.array_equal(decode(saved(wide), size=8, channels=3), np.asarray(wide)[:, 6:14])


def test_resizing_averages_over_all_pixels():
    # A checkerboard of single pixels: without antialiasing it would turn black, white or striped.
    board = (np.indices((96, 96)).sum(axis=0) % 2 * 255).astype(np.uint8)
    pixels = decode(saved(Image.fromarray(board)), size=16, channels=1)[2:-2, 2:-2]
    assert abs(pixels.mean() - 127.5) < 1 and pixels.std() < 2


def test_a_huge_jpeg_decoded_small_looks_like_the_whole():
    ramp = np.linspace(0, 255, 2000, dtype=np.uint8)
    image = Image.fromarray(np.broadcast_to(ramp, (1600, 2000)).copy()).convert("RGB")
    small = decode(saved(image, "JPEG", quality=95), size=64, channels=3)
    whole = np.asarray(image.resize((64, 64), Image.Resampling.BICUBIC, box=(200, 0, 1800, 1600)))
    assert np.abs(small.astype(int) - whole).max() <= 4


def huge_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


JPEG = flat("RGB", RED, "JPEG")
NOISE = saved(Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)), "JPEG")
PNG = flat("RGB", RED)
GIF = saved(Image.effect_noise((32, 32), 50), "GIF")


@pytest.mark.parametrize(
    ("data", "rule", "reason"),
    [
        (b"", "empty", "empty"),
        (NOISE[: len(NOISE) // 2], "damaged", "truncated"),
        (NOISE[:-40], "damaged", "truncated"),
        (saved(Image.effect_noise((64, 64), 50))[:900], "damaged", ""),
        (JPEG[:20], "damaged", ""),
        (PNG[:20], "damaged", ""),
        (GIF[: len(GIF) // 2], "damaged", ""),
        (PNG[:40] + bytes([PNG[40] ^ 1]) + PNG[41:], "damaged", ""),
        (saved(Image.effect_noise((32, 32), 9), "WEBP")[:60], "damaged", ""),
        (b"BM" + bytes(60), "damaged", ""),
        (b"\xff\xd8\xff" + bytes(100), "damaged", ""),
        (bytes(1000), "not-a-picture", "not a JPEG"),
        (b"hello", "not-a-picture", "not a JPEG"),
        (b"<!DOCTYPE html><html>404</html>", "not-a-picture", "HTML"),
        (b"\xef\xbb\xbf <svg xmlns='http://www.w3.org/2000/svg'/>", "not-a-picture", "SVG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "not-a-picture", "PostScript"),
        (saved(Image.new("RGB", (8, 8)), "TIFF"), "not-a-picture", "TIFF"),
        (b"PK\x03\x04" + bytes(50), "not-a-picture", "zip"),
        (huge_png(8000, 7000), "too-large", "56.0 megapixels"),
        (huge_png(12000, 9000), "too-large", "megapixels"),
        (huge_png(20000, 20000), "too-large", ""),
    ],
)
def test_what_gives_no_pixels_says_why(data, rule, reason):
    with quiet_pillow(), pytest.raises(UndecodableError, match=reason) as caught:
        decode(data, size=8, channels=3)
    assert caught.value.rule == rule


def test_a_picture_cut_anywhere_is_refused():
    for cut in range(0, len(NOISE) - 2, 97):
        with pytest.raises(UndecodableError):
            decode(NOISE[:cut], size=8, channels=3)


@pytest.mark.parametrize("options", [{"lossless": True}, {}, {"exif": Image.Exif()}], ids=["VP8L", "VP8", "VP8X"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_webp_sizes_come_from_the_header(options, mode):
    data = saved(Image.effect_noise((300, 201), 90).convert(mode), "WEBP", **options)
    assert measure(data[:64]) == (300, 201)
    assert measure(data[:20]) is None and measure(b"RIFF\0\0\0\0WEBPXXXX" + bytes(99)) is None


def test_sizes_come_from_the_beginning_of_a_file(picture):
    assert measure(picture(1, size=(300, 200), kind="JPEG", quality=95)[:2000]) == (300, 200)
    assert measure(b"<html>") is None
    with quiet_pillow():
        assert measure(huge_png(20000, 20000)) is None
