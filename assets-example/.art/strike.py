"""Renders the site's pictures: four hallmarks struck into planished silver.

    pip install numpy scipy pillow fonttools brotli
    python3 strike.py still  "../struck plate.jpg"
    python3 strike.py film   ../silver.mp4          # needs ffmpeg; also writes silver.jpg

The plate is a height field (hammer facets, brushed lines, four punches with
raised devices). Its normals reflect a studio of soft boxes; for the film the
studio turns once, so the last frame meets the first.
"""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage as nd
from scipy.spatial import cKDTree

HERE = Path(__file__).resolve().parent
SEED = 256


def typeface(size, weight=800):
    """Besley at one weight, as the site itself uses it."""
    font = TTFont(HERE.parent / "fonts" / "besley.woff2")
    font = instantiateVariableFont(font, {"wght": weight})
    font.flavor = None
    file = io.BytesIO()
    font.save(file)
    file.seek(0)
    return ImageFont.truetype(file, size)


def punches(width, height, unit, centre):
    """Two masks: the sunk fields of the four punches, and the devices raised in them."""
    field = Image.new("L", (width, height))
    device = Image.new("L", (width, height))
    f, d = ImageDraw.Draw(field), ImageDraw.Draw(device)
    cx, cy = centre
    pitch, r = 2.62 * unit, unit

    def at(i):
        return cx + (i - 1.5) * pitch

    def text(x, y, s, size):
        d.text((x, y), s, font=typeface(int(size)), fill=255, anchor="mm")

    # The maker: a shield.
    x = at(0)
    t = np.linspace(0, 1, 40)
    side = [(x + r * (1 - 0.98 * u**2.2), cy + r * (0.15 + 1.05 * u)) for u in t]
    shield = [(x - r, cy - r), (x + r, cy - r), *side]
    shield += [(2 * x - px, py) for px, py in reversed(side)]
    f.polygon(shield, fill=255)
    text(x, cy - 0.06 * r, "H", 1.32 * r)

    # The standard: an oval, as .925 has been struck for centuries; here the hash, SHA-256.
    x = at(1)
    f.ellipse((x - 1.12 * r, cy - 0.86 * r, x + 1.12 * r, cy + 0.86 * r), fill=255)
    text(x, cy + 0.02 * r, "256", 0.92 * r)

    # The assay office: a lozenge with a hash tree.
    x = at(2)
    f.polygon([(x, cy - 1.22 * r), (x + 1.2 * r, cy), (x, cy + 1.22 * r), (x - 1.2 * r, cy)], fill=255)
    nodes = {(0, 0): (0, -0.58), (1, 0): (-0.36, 0.02), (1, 1): (0.36, 0.02),
             (2, 0): (-0.6, 0.5), (2, 1): (-0.13, 0.5), (2, 2): (0.28, 0.5)}
    edges = [((0, 0), (1, 0)), ((0, 0), (1, 1)), ((1, 0), (2, 0)), ((1, 0), (2, 1)), ((1, 1), (2, 2))]
    where = {k: (x + 0.86 * r * px, cy + 0.86 * r * (py + 0.02)) for k, (px, py) in nodes.items()}
    for a, b in edges:
        d.line([where[a], where[b]], fill=255, width=max(2, int(0.075 * r)))
    for k, (px, py) in where.items():
        s = 0.125 * r
        d.ellipse((px - s, py - s, px + s, py + s), fill=255)

    # The date letter: a square with cut corners.
    x, c = at(3), 0.32
    f.polygon([(x + r * px, cy + r * py) for px, py in [
        (-1 + c, -1), (1 - c, -1), (1, -1 + c), (1, 1 - c), (1 - c, 1), (-1 + c, 1), (-1, 1 - c), (-1, -1 + c)]], fill=255)
    text(x, cy - 0.14 * r, "a", 1.5 * r)

    return np.asarray(field, float) / 255, np.asarray(device, float) / 255


def bevel(mask, width):
    """A mask with sloping sides and rounded lips."""
    inside = nd.distance_transform_edt(mask > 0.5)
    slope = np.clip(inside / width, 0, 1)
    return nd.gaussian_filter(slope * slope * (3 - 2 * slope), width * 0.22)


def planished(width, height, pitch, rng):
    """Hammer facets: shallow overlapping bowls, one for every blow."""
    gx, gy = np.meshgrid(np.arange(-2, width / pitch + 3), np.arange(-2, height / pitch + 3))
    blows = np.stack([gx.ravel(), gy.ravel()], 1) * pitch + rng.normal(0, pitch * 0.34, (gx.size, 2))
    yy, xx = np.mgrid[0:height, 0:width]
    distance, _ = cKDTree(blows).query(np.stack([xx.ravel(), yy.ravel()], 1), k=3, workers=-1)
    d2 = (distance / pitch) ** 2
    soft = -np.log(np.exp(-9 * d2).sum(1)) / 9
    return nd.gaussian_filter(soft.reshape(height, width), pitch * 0.045)


class Plate:
    """The normals of the metal and how much of the sky each point sees."""

    def __init__(self, width, height, unit, centre):
        rng = np.random.default_rng(SEED)
        field, device = punches(width, height, unit, centre)
        sunk, raised = bevel(field, unit * 0.11), bevel(device, unit * 0.05)

        ground = planished(width, height, unit * 0.95, rng) * unit * 0.038
        lip = nd.gaussian_filter(field, unit * 0.16) - nd.gaussian_filter(field, unit * 0.42)
        grain = nd.gaussian_filter(rng.normal(0, 1, (height, width)), unit * 0.012) * unit * 0.0021
        z = ground * (1 - 0.85 * sunk) + lip * unit * 0.07 - sunk * unit * 0.20 + raised * unit * 0.19
        z += grain * (0.2 + sunk * 1.6 * (1 - raised))

        brushed = nd.gaussian_filter(rng.normal(0, 1, (height, width)), (0.55, unit * 0.55))
        brushed /= brushed.std()
        zy, zx = np.gradient(z)
        zy = zy * 1.35 + brushed * 0.007
        zx = zx * 1.35
        length = np.sqrt(zx * zx + zy * zy + 1)
        self.normal = np.stack([-zx, -zy, np.ones_like(z)], -1) / length[..., None]

        open_sky = z - nd.gaussian_filter(z, unit * 0.22)
        tarnish = 1 - 0.62 * nd.gaussian_filter(sunk * (1 - raised), unit * 0.012)
        self.light = np.clip(1 + open_sky / (unit * 0.2), 0.38, 1.12) * tarnish
        yy, xx = np.mgrid[0:height, 0:width]
        self.view = np.stack([(xx - centre[0]) / width * 0.75, (yy - centre[1]) / width * 0.75, -np.ones((height, width))], -1)
        self.view /= np.linalg.norm(self.view, axis=-1, keepdims=True)

    def shot(self, turn):
        """One exposure; `turn` in [0, 1) is how far the studio has turned."""
        n, v = self.normal, self.view
        r = v - 2 * (v * n).sum(-1, keepdims=True) * n
        a = 2 * np.pi * turn
        x, y, up = r[..., 0], r[..., 1], r[..., 2]

        def box(angle, reach, size, soft):
            """A soft box: a smooth disc in direction space."""
            bx, by = np.cos(angle) * reach, np.sin(angle) * reach * 0.72
            d = np.hypot((x - bx), (y - by) * 1.15)
            return 1 / (1 + np.exp((d - size) / soft))

        key = box(a - 2.2, 0.46, 0.30, 0.075)
        rim = box(a + 0.9, 0.62, 0.17, 0.05)
        strip = np.exp(-(((x * np.cos(0.5 * np.sin(a) + 0.6) + y * np.sin(0.5 * np.sin(a) + 0.6)) - 0.16 * np.cos(a)) / 0.075) ** 2)
        sky = 0.5 + 0.5 * y

        cool, warm = np.array([0.86, 0.94, 1.0]), np.array([1.0, 0.95, 0.88])
        base = (0.075 + 0.20 * (1 - sky))[..., None] * np.array([0.80, 0.90, 0.96])
        colour = base + (1.02 * key)[..., None] * warm + (0.72 * rim)[..., None] * cool + (0.30 * strip)[..., None] * cool
        colour *= (self.light * (0.62 + 0.38 * np.clip(up, 0, 1)))[..., None]
        colour = 1 - np.exp(-1.55 * colour)
        return (np.clip(colour, 0, 1) ** (1 / 2.1) * 255 + 0.5).astype(np.uint8)


def still(target):
    width, height = 1600, 1000
    plate = Plate(width * 2, height * 2, unit=620, centre=(width, height))
    picture = Image.fromarray(plate.shot(0.07)).resize((width, height), Image.LANCZOS)
    picture.save(target, quality=86, optimize=True, progressive=True)


def film(target):
    width, height, rate, frames = 1440, 640, 25, 250
    plate = Plate(width, height, unit=118, centre=(width // 2, height // 2))
    Image.fromarray(plate.shot(0)).save(Path(target).with_suffix(".jpg"), quality=80, optimize=True, progressive=True)
    encoder = subprocess.Popen(
        ["ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}",
         "-r", str(rate), "-i", "-", "-an", "-c:v", "libx264", "-preset", "slow", "-crf", sys.argv[3] if len(sys.argv) > 3 else "24",
         "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-fflags", "+bitexact", "-flags:v", "+bitexact", target],
        stdin=subprocess.PIPE)
    for frame in range(frames):
        encoder.stdin.write(plate.shot(frame / frames).tobytes())
    encoder.stdin.close()
    sys.exit(encoder.wait())


if __name__ == "__main__":
    {"still": still, "film": film}[sys.argv[1]](sys.argv[2])
