"""Write docs/models.md from the cards.

Usage: python -m tools.make_models_page
"""

from pathlib import Path

from facefusion_live.domain.model_card import ModelCard

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "models.md"
HEAD = """# Models

Generated from the cards by `python -m tools.make_models_page`; do not edit.

A model is a card: a TOML file that says what the net is for, where it comes from, under which licence, and how pictures
go in and come out. A new model of a known family is one card and no code: put it, and the model's file, into the
folder `models` of your data folder. A card of yours replaces one of ours that has the same name.

```sh
facefusion-live models list                    # what there is, and what is here
facefusion-live models show inswapper_128
facefusion-live models pull inswapper_128      # and what it needs; the licence is shown and accepted first
facefusion-live models add ~/Downloads/x.onnx  # a file you have: told by its SHA-256, name or shape; else --as MODEL
facefusion-live models verify
facefusion-live models remove inswapper_128
facefusion-live models optimise inswapper_128 --to fp16   # or int8; told: size, speed, how far answers lie apart
facefusion-live run --engine inswapper_128 ...
```

Nothing is downloaded unasked. A licence is shown first, with the page where it is read: the card's `licence_url`, else
the publisher's page or repository. That you accepted it is a row of the record before anything is fetched. What
`models optimise` makes stands under the licence of what it was made from: nobody is asked anew, and the record tells
where it came from.

A download that breaks off, or is killed, goes on where it stopped. A file gets its place only when it is whole, has the
SHA-256 it must have, fits its card, and has run once in a process of its own with bounded memory. Where the publisher
tells no SHA-256 it is pinned at the first download, and said so. Models that keep weights in other files are refused.

A file that was fetched or added and is another one now does not run: that is told with what to do, and is a row of the
record. While live the engine in force goes on. `models list` calls it "changed", and `models pull` fetches it anew. One
of your own that you exchanged on purpose is taken in with `models add`. A file that you put into the folder by hand is
pinned by nobody: it runs, and the record has its SHA-256.

A model that was trained on one person (.dfm) is told by its shape and gets its card by `models add`: `person_` and
eight digits, because rows of the record tell names; `--as NAME` if that may be. It takes no `--source`, and needs a
consent for the face inside ([docs/disclosure.md](disclosure.md#consent)). Its two masks say what of the face is
covered: what they leave out, a hand, shows as the camera has it, within the limits below. `--swap.morph` is for those
that take it.

| setting | takes |
|---|---|
| `--engine` | a swapper |
| `--detect.model` | a detector |
| `--track.landmarker` | a landmarker: it refines the five points that nets are aligned by |
| `--swap.enhancer` with `--look.enhance` above 0 | an enhancer |
| `--swap.occluder` | a masker that tells what lies before the face, a hand or a microphone, instead of the program |
| `--swap.parser` | a masker that tells skin from hair and hats |
| `--inference.provider` | auto, tensorrt, cuda, cpu; with their own ONNX Runtime directml, coreml, openvino |
| `--inference.remote` | a server that runs swappers, enhancers and recognisers ([docs/remote.md](remote.md)) |

In the window the engine is switched while live (Look, Engine): the new one is loaded and swaps one picture that nobody
sees, then takes over between two frames; until then the old one goes on.

The provider that was asked for runs, or it is an error. Auto tries them in turn for the nets that you brought, and
`--json` tells what was skipped and why.

What a provider has no operator for, the next one runs. So what runs the engine is told with how much of it, asked from
ONNX Runtime, in the report, `--json` and the window: `CUDAExecutionProvider (41 of 43 nodes; the rest:
CPUExecutionProvider 2)`. A name alone is all of it. An older ONNX Runtime cannot tell, and that is said. Nodes are
counted in the simplified graph; how long each takes is not told. Of the other nets the log has the same.

A net that you brought swaps one picture that nobody sees before it goes live. Where its numbers overflow half
precision, as on some cards, it is loaded anew in single precision; that is told, and on record. So are enhancers and
mask nets, after one picture that fails.

A net that gives back the face it was fed would cover a face with itself. The painted face is compared with the one it
replaces; below a change of 0.2 the gate shuts with "face not changed". Light, contrast, white balance and noise do not
count. On the built-in faces and two photographs swaps by the built-in engine change a face by 0.54 and more. A swap of
a person into themselves is not one, and does not go out.

Enhancers with a template redraw one aligned face. Those without one (Real-ESRGAN, SPAN) redraw the whole patch in
tiles, which see some pixels more than they paint and fade into each other. A face takes four tiles at most: a patch of
more than 440 px with Real-ESRGAN, or 220 px with SPAN, goes in smaller.

What a masker takes for a hand or hair shows as the camera has it. A masker that is wrong would give the bare face away,
and nobody could tell. So it may give away a quarter of the face, and a tenth of what lies between the forehead and the
tip of the nose, less the rim. Above that the gate shuts with "masks leave too much bare": a hand before the eyes ends
in the slate, too. With masks that are wrong, faces at these limits are on average as near to the source's as to the
wearer's (39 swaps, eleven shapes of bare skin: SFace .41 and .41; .45 and .36 without a mask).

Not verified here: none of the models below that are not built in was downloaded when their cards were written. Sizes,
templates and normalisation are those of their publishers' code; the tests hold the adapters to them with small nets.
CUDA was measured on one card ([speed](performance.md)); TensorRT was not.

"""


def page() -> str:
    """The whole page."""
    lines = ["| model | task | template, edge | licence | SHA-256 told | needs |", "|---|---|---|---|---|---|"]
    for path in sorted([*(ROOT / "resources/models").glob("*.toml"), *(ROOT / "resources/cards").glob("*.toml")]):
        card = ModelCard.parse(path.read_text("utf-8"))
        target = card.target
        place = "" if target is None else f"{target.template or ''} {target.size_px}".strip()
        known = "yes" if card.sha256 else "pinned at first download" if card.urls else "no download"
        lines.append(f"| {card.id} | {card.task} | {place} | {card.licence} | {known} | {', '.join(card.needs)} |")
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(PAGE)
