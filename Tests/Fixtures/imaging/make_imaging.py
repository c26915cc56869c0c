"""Makes the oracle of ImagingTests: small pictures of every kind, and what Pillow and transformers make of them.

    pip install pillow==13.0.0 numpy==2.4.6 transformers==5.23.0 torch
    python make_imaging.py

Writes the pictures next to itself, `expected.bin` (all expected arrays, one after the other) and
`manifest.json` (where each array stands). The processors are transformers' Pillow-based ("slow") ones.
"""

import io
import json
import pathlib
import struct
import zlib

import numpy as np
import PIL
import transformers
from PIL import Image, ImageOps
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

assert PIL.__version__ == "13.0.0" and np.__version__ == "2.4.6" and transformers.__version__ == "5.23.0"

HERE = pathlib.Path(__file__).parent
WIDTH, HEIGHT = 23, 14
random = np.random.default_rng(7)
blob = bytearray()
manifest = {"decode": [], "resize": [], "process": [], "broken": [], "white": []}


def store(array):
    offset = len(blob)
    blob.extend(np.ascontiguousarray(array).tobytes())
    return offset


def scene(width, height, channels=3, top=255):
    """Smooth colours with a hard-edged box and some noise, so that edges, slopes and extremes all occur."""
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for c in range(channels):
        plane = 0.5 + 0.5 * np.sin((c + 1) * 3.1 * x / width + (2 - c) * 2.3 * y / height)
        plane[height // 4 : height // 2, width // 3 : 2 * width // 3] = (c * 0.5) % 1.5 % 1.01
        planes.append(plane + random.uniform(-0.06, 0.06, plane.shape))
    return np.rint(np.clip(np.stack(planes, -1), 0, 1) * top).astype(np.int64)


# PNG, by hand: Pillow doesn't write Adam7, 16-bit colour or most bit depths


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_rows(samples, depth):
    height = samples.shape[0]
    rows = samples.reshape(height, -1)
    out = b""
    for row in rows:
        if depth == 16:
            packed = row.astype(">u2").tobytes()
        elif depth == 8:
            packed = row.astype(np.uint8).tobytes()
        else:
            bits = ((row[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8)
            packed = np.packbits(bits.reshape(-1)).tobytes()
        out += b"\0" + packed
    return out


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(samples, depth, colour, interlaced=False, before=b"", after=b"", size=None):
    height, width = samples.shape[:2]
    if interlaced:
        passes = [samples[y0::dy, x0::dx] for x0, y0, dx, dy in ADAM7]
        raw = b"".join(pack_rows(part, depth) for part in passes if part.size)
    else:
        raw = pack_rows(samples, depth)
    declared = size or (width, height)
    header = struct.pack(">IIBBBBB", *declared, depth, colour, 0, 0, int(interlaced))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before
        + chunk(b"IDAT", zlib.compress(raw)) + after + chunk(b"IEND", b"")
    )


def tiff(orientation, order="<", kind=3):
    """An EXIF block with a Make before the Orientation."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    value = struct.pack(order + {3: "HH", 4: "I"}[kind], *([orientation, 0] if kind == 3 else [orientation]))
    entries = struct.pack(order + "HHI", 0x010F, 2, 4) + b"abc\0"
    entries += struct.pack(order + "HHI", 0x0112, kind, 1) + value
    return mark + struct.pack(order + "IH", 8, 2) + entries + struct.pack(order + "I", 0)


def xmp(orientation, element=False):
    tag = f"<tiff:Orientation>{orientation}</tiff:Orientation>" if element else f'tiff:Orientation="{orientation}"'
    return f"<x:xmpmeta><rdf:Description {tag}/></x:xmpmeta>".encode()


def add_decode(name, data):
    (HERE / name).write_bytes(data)
    with Image.open(io.BytesIO(data)) as image:
        mode = image.mode
        rgb = np.array(ImageOps.exif_transpose(image).convert("RGB"))
    manifest["decode"].append(
        {"file": name, "width": rgb.shape[1], "height": rgb.shape[0], "mode": mode, "offset": store(rgb)}
    )


def make_png_kinds():
    grey = {depth: scene(WIDTH, HEIGHT, 1, (1 << depth) - 1) for depth in (1, 2, 4, 8, 16)}
    grey[16][:4] = np.arange(4 * WIDTH).reshape(4, WIDTH, 1) * 4  # around the value where Pillow clips
    for depth, samples in grey.items():
        add_decode(f"grey{depth}.png", png(samples, depth, 0))
    add_decode("grey8-transparent.png", png(grey[8], 8, 0, before=chunk(b"tRNS", b"\0\x40")))
    for depth in (8, 16):
        top = (1 << depth) - 1
        add_decode(f"grey-alpha{depth}.png", png(scene(WIDTH, HEIGHT, 2, top), depth, 4))
        add_decode(f"rgb{depth}.png", png(scene(WIDTH, HEIGHT, 3, top), depth, 2))
        add_decode(f"rgba{depth}.png", png(scene(WIDTH, HEIGHT, 4, top), depth, 6))
    rgb = scene(WIDTH, HEIGHT)
    corner = b"".join(struct.pack(">H", v) for v in rgb[0, 0])
    add_decode("rgb8-transparent.png", png(rgb, 8, 2, before=chunk(b"tRNS", corner)))
    add_decode("rgb8-gamma.png", png(rgb, 8, 2, before=chunk(b"gAMA", struct.pack(">I", 100000))))
    for depth in (1, 2, 4, 8):
        colours = 1 << depth
        palette = random.integers(0, 256, (colours, 3), dtype=np.uint8).tobytes()
        indices = random.integers(0, colours, (HEIGHT, WIDTH, 1))
        add_decode(f"palette{depth}.png", png(indices, depth, 3, before=chunk(b"PLTE", palette)))
    alphas = chunk(b"tRNS", bytes(range(0, 250, 10)))
    add_decode("palette8-alpha.png", png(indices, 8, 3, before=chunk(b"PLTE", palette) + alphas))
    short = chunk(b"PLTE", palette[: 3 * 100])
    add_decode("palette8-short.png", png(indices, 8, 3, before=short))
    add_decode("interlaced-rgb8.png", png(rgb, 8, 2, interlaced=True))
    add_decode("interlaced-grey16.png", png(grey[16], 16, 0, interlaced=True))
    add_decode("interlaced-grey2.png", png(grey[2], 2, 0, interlaced=True))
    add_decode("interlaced-rgba16.png", png(scene(WIDTH, HEIGHT, 4, 65535), 16, 6, interlaced=True))
    nibbles = random.integers(0, 16, (HEIGHT, WIDTH, 1))
    add_decode("interlaced-palette4.png", png(nibbles, 4, 3, True, before=chunk(b"PLTE", palette[:48])))
    add_decode("interlaced-3x2.png", png(rgb[:2, :3], 8, 2, interlaced=True))
    add_decode("single-pixel.png", png(rgb[:1, :1], 8, 2))
    for orientation in range(1, 9):
        exif = chunk(b"eXIf", tiff(orientation, "<>"[orientation % 2]))
        add_decode(f"exif{orientation}.png", png(rgb, 8, 2, before=exif))
    add_decode("exif6-after.png", png(rgb, 8, 2, after=chunk(b"eXIf", tiff(6))))
    text = b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(8)
    add_decode("xmp8.png", png(rgb, 8, 2, before=chunk(b"iTXt", text)))
    digits = (b"Exif\0\0" + tiff(7)).hex().encode()
    raw = b"\nexif\n      48\n" + digits[:40] + b"\n" + digits[40:] + b"\n"
    add_decode("raw-profile7.png", png(rgb, 8, 2, before=chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(raw))))


def jpeg(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **options)
    return out.getvalue()


def make_jpeg_kinds():
    rgb = Image.fromarray(scene(WIDTH, HEIGHT).astype(np.uint8))
    add_decode("rgb444.jpg", jpeg(rgb, quality=90, subsampling=0))
    add_decode("rgb422.jpg", jpeg(rgb, quality=90, subsampling=1))
    add_decode("rgb420.jpg", jpeg(rgb, quality=90, subsampling=2))
    add_decode("low-quality.jpg", jpeg(rgb, quality=10))
    add_decode("progressive.jpg", jpeg(rgb, quality=85, progressive=True))
    add_decode("restarts.jpg", jpeg(rgb, quality=85, restart_marker_blocks=1))
    add_decode("stored-rgb.jpg", jpeg(rgb, quality=90, keep_rgb=True))
    add_decode("grey.jpg", jpeg(rgb.convert("L"), quality=90))
    add_decode("grey-progressive.jpg", jpeg(rgb.convert("L"), quality=90, progressive=True))
    inks = Image.fromarray(scene(WIDTH, HEIGHT, 4).astype(np.uint8), "CMYK")
    cmyk = jpeg(inks, quality=95)
    add_decode("cmyk.jpg", cmyk)
    place = cmyk.index(b"Adobe") + 11
    assert cmyk[place] == 0
    add_decode("ycck.jpg", cmyk[:place] + b"\2" + cmyk[place + 1 :])
    for orientation in range(1, 9):
        exif = b"Exif\0\0" + tiff(orientation, "><"[orientation % 2])
        add_decode(f"exif{orientation}.jpg", jpeg(rgb, quality=80, exif=exif))
    add_decode("exif6-long.jpg", jpeg(rgb, quality=80, exif=b"Exif\0\0" + tiff(6, kind=4)))
    add_decode("xmp3.jpg", jpeg(rgb, quality=80, xmp=xmp(3, element=True)))
    photo = Image.fromarray(scene(333, 250).astype(np.uint8))
    add_decode("photo.jpg", jpeg(photo, quality=40))


def make_resizes():
    rgb = scene(61, 43).astype(np.uint8)
    cases = [("small.png", rgb, [(32, 32), (61, 20), (20, 43), (61, 43), (100, 90), (7, 5), (1, 1), (122, 43)])]
    cases.append(("tall.png", scene(2, 250).astype(np.uint8), [(3, 40), (2, 100), (1, 300)]))
    cases.append(("wide.png", scene(250, 2).astype(np.uint8), [(40, 3), (100, 2)]))
    cases.append(("photo.jpg", None, [(64, 48), (48, 36)]))
    filters = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4}
    for name, samples, sizes in cases:
        if samples is not None:
            (HERE / name).write_bytes(png(samples, 8, 2))
        image = Image.open(HERE / name).convert("RGB")
        for size in sizes:
            for label, code in filters.items():
                resized = np.array(image.resize(size, code))
                manifest["resize"].append(
                    {"file": name, "filter": label, "width": size[0], "height": size[1], "offset": store(resized)}
                )


def make_processors():
    clip, llava = CLIPImageProcessorPil, LlavaImageProcessorPil
    odd = {"image_mean": [0.5, 0.25, 0.125], "image_std": [0.5, 0.3, 0.7]}
    cases = {
        "square-crop": (clip, {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}),
        "integers": (clip, {"size": 24, "crop_size": 20, "resample": 2}),
        "exact": (clip, {"size": {"height": 26, "width": 30}, "do_center_crop": False, "resample": 2, **odd}),
        "overhanging-crop": (clip, {"size": {"shortest_edge": 20}, "crop_size": {"height": 27, "width": 33}, "resample": 1}),
        "no-normalize": (clip, {"size": 16, "crop_size": 16, "do_normalize": False, "resample": 4}),
        "no-rescale": (clip, {"size": 16, "crop_size": 16, "do_rescale": False, "resample": 0}),
        "rescale-only-crop": (clip, {"do_resize": False, "crop_size": 31, "rescale_factor": 0.0078125, **odd}),
        "padded": (llava, {"size": {"shortest_edge": 28}, "crop_size": 28, "do_pad": True}),
        "unpadded": (llava, {"size": {"shortest_edge": 28}, "crop_size": 28}),
    }
    for name, (kind, options) in cases.items():
        processor = kind(**options)
        for file in ("small.png", "tall.png", "wide.png"):
            if name == "unpadded" and file != "small.png":
                continue
            image = Image.open(HERE / file).convert("RGB")
            pixels = np.asarray(processor(image)["pixel_values"][0], dtype=np.float32)
            manifest["process"].append(
                {
                    "name": name, "file": file, "config": {"image_processor_type": kind.__name__.removesuffix("Pil"), **options},
                    "height": pixels.shape[1], "width": pixels.shape[2], "offset": store(pixels),
                }
            )


def webp(image, **options):
    out = io.BytesIO()
    image.save(out, "WEBP", **options)
    return out.getvalue()


def make_webp_kinds():
    rgb = Image.fromarray(scene(WIDTH, HEIGHT).astype(np.uint8))
    rgba = Image.fromarray(scene(WIDTH, HEIGHT, 4).astype(np.uint8), "RGBA")
    add_decode("lossless.webp", webp(rgb, lossless=True))
    add_decode("lossy.webp", webp(rgb, quality=80))
    add_decode("lossless-alpha.webp", webp(rgba, lossless=True, exact=True))
    add_decode("lossy-alpha.webp", webp(rgba, quality=80, exact=True))
    add_decode("animated.webp", webp(rgba, lossless=True, save_all=True, append_images=[rgba.rotate(90)], duration=9))
    add_decode("exif6.webp", webp(rgb, lossless=True, exif=b"Exif\0\0" + tiff(6)))
    add_decode("xmp3.webp", webp(rgb, lossless=True, xmp=xmp(3)))


def gif(image, **options):
    out = io.BytesIO()
    image.save(out, "GIF", **options)
    return out.getvalue()


def make_gif_kinds():
    colours = Image.fromarray(scene(37, 26).astype(np.uint8)).quantize(16)
    add_decode("palette.gif", gif(colours, interlace=0))
    add_decode("interlaced.gif", gif(colours, interlace=1))
    add_decode("grey.gif", gif(Image.fromarray(scene(WIDTH, HEIGHT, 1)[..., 0].astype(np.uint8))))
    clear = gif(colours, interlace=0, transparency=5)
    add_decode("transparent.gif", clear)
    frames = [colours.rotate(90), colours.rotate(180)]
    add_decode("animated.gif", gif(colours, save_all=True, append_images=frames, duration=9))
    # a frame inside its screen, with what it leaves free transparent or not, and one that hangs over it
    for name, data, size, place in [
        ("placed.gif", gif(colours, interlace=0), (60, 40), (11, 7)),
        ("placed-transparent.gif", clear, (60, 40), (11, 7)),
        ("overhanging.gif", gif(colours, interlace=0), (40, 20), (11, 7)),
    ]:
        start = data.index(b"\x2c\0\0\0\0" + struct.pack("<HH", 37, 26))
        data = data[:6] + struct.pack("<HH", *size) + data[10:start + 1] + struct.pack("<HH", *place) + data[start + 5 :]
        add_decode(name, data)


def make_white():
    """What transformers 5 makes of transparent pixels (image_transforms.convert_to_rgb)."""
    names = ["lossless-alpha.webp", "lossy-alpha.webp", "animated.webp", "transparent.gif", "placed-transparent.gif"]
    names += ["rgb8.png"] + [f"grey-alpha{d}.png" for d in (8, 16)] + [f"rgba{d}.png" for d in (8, 16)]
    names += ["grey8-transparent.png", "rgb8-transparent.png", "palette8-alpha.png", "interlaced-rgba16.png"]
    for name in names:
        with Image.open(HERE / name) as image:
            over = image.convert("RGBA")
            rgb = np.array(Image.alpha_composite(Image.new("RGBA", over.size, (255, 255, 255, 255)), over).convert("RGB"))
        manifest["white"].append(
            {"file": name, "width": rgb.shape[1], "height": rgb.shape[0], "offset": store(rgb)}
        )


def make_broken():
    """Files whose checksums are right, so that only the fault in question can be found."""
    rgb = scene(WIDTH, HEIGHT)
    good = png(rgb, 8, 2)

    def add(name, data):
        (HERE / name).write_bytes(data)
        manifest["broken"].append(name)

    add("bomb.png", png(rgb, 8, 2, size=(60000, 60000)))
    add("zero-width.png", png(rgb, 8, 2, size=(0, HEIGHT)))
    add("lying-header.png", png(rgb, 8, 2, size=(WIDTH, 4 * HEIGHT)))
    start = good.index(b"IDAT") - 4
    length = struct.unpack(">I", good[start : start + 4])[0]
    stream = bytearray(good[start + 8 : start + 8 + length])
    stream[len(stream) // 2] ^= 0xFF
    stream[len(stream) // 2 + 1] ^= 0xFF
    tail = good[start + 12 + length :]
    add("corrupt-stream.png", good[:start] + chunk(b"IDAT", bytes(stream)) + tail)
    flipped = bytearray(good)
    flipped[start + 8 + length] ^= 1
    add("wrong-checksum.png", bytes(flipped))
    add("missing-palette.png", png(rgb[..., :1], 8, 3))


def main():
    make_png_kinds()
    make_jpeg_kinds()
    make_resizes()
    make_processors()
    make_broken()
    make_webp_kinds()
    make_gif_kinds()
    make_white()
    (HERE / "expected.bin").write_bytes(blob)
    lines = []
    for key, entries in manifest.items():
        rows = ",\n".join("  " + json.dumps(entry) for entry in entries)
        lines.append(f' "{key}": [\n{rows}\n ]')
    (HERE / "manifest.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
