# pyright: basic, reportArgumentType=false
"""Judge a swapped film without knowing how it was made.

Usage: python tools/quality.py SOURCE INPUT OUTPUT [--states FILE] [--every-face] [--json]

Of the widest face in every input frame; landmarks, identity (SFace) and everything else by the judge's own nets:

  frames              input frames with a face, of `frames_compared`
  found               share of them in which a face is found in the output, too
  fidelity            mean landmark distance of output and input over the eye distance: pose and expression kept;
                      fidelity_median is that of the frames: a look at another face counts once
  id_source           cosine of the output's face with the source face, id_target with the input's own face,
                      id_before of the input's with the source: where it started; nearer is the share of frames in
                      which the source is nearer than the wearer
  changed             mean absolute difference inside the oval, in levels
  leaks               frames, of the `shown`, with a bare face: mean change below 3 levels, or less than 0.9 of the
                      skin changed, or the wearer shows through: at least .35 of the picture is the wearer's own, and
                      the face is nearer to the wearer's than to the source's.
                      With --states only LIVE and HOLD frames are shown; without, all are.
                      A place counts as changed when the mean difference around it (a window of 1/12 face width)
                      reaches 1 level and twice the encoder's noise outside the face; `changed_share_min` is the worst.
                      Of the output's detail, `own_share_max` is the most that was the input's and not the source's.
                      What lies before the wearer's face, told from the whole film (`tools.judge.hidden`), need not have
                      changed; `behind` counts the frames of which that was asked.
                      Leaks, flicker and ceiling use landmarks that were looked at four times; the rest, once
  outside             PSNR outside the oval grown by a quarter: the rest of the picture is untouched
  seam                mean gradient on the edge of the face, output over input: 1 is invisible
  flicker             mean change from frame to frame on the skin (both films unwrapped by the input's landmarks into
                      one sheet), output over input: 1 is as steady as the camera's picture
  ceiling_id_source   id_source of the best that a warp can do: the source warped opaquely over the same mesh, nothing
                      kept, no light matched. share_of_ceiling = id_source / ceiling_id_source
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import cv2

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that it runs as a file, too, without the program being installed

from tools.judge.films import BadFilmError, Film, pairs, read_states  # noqa: E402 (needs the line above)
from tools.judge.verdict import Judge  # noqa: E402


def judged(source: Path, given: Path, made: Path, states: Path | None, *, every_face: bool = False) -> dict[str, Any]:
    """The figures for a film.

    Raises:
        BadFilmError: A file cannot be read, the films do not belong together, or the source picture shows no face.
    """
    portrait = cv2.imread(str(source)) if source.is_file() else None
    if portrait is None:
        raise BadFilmError(f"{source.name} cannot be read as a picture")
    rows = None if states is None else read_states(states)
    input_film, output_film = Film(given), Film(made)
    figures = Judge(portrait, every_face=every_face).judge(pairs(input_film, output_film, rows))
    return {"frames_out": output_film.frame_count, **figures}


def main(words: list[str]) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="quality.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("source", "input", "output"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--states", type=Path, help="what `run --frame-states` wrote")
    parser.add_argument("--every-face", action="store_true", help="look for leaks in every face, not only the widest")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(words)
    try:
        figures = judged(args.source, args.input, args.output, args.states, every_face=args.every_face)
    except BadFilmError as error:
        print(f"quality.py: {error}", file=sys.stderr)
        return 2
    print(json.dumps(figures) if args.json else "\n".join(f"{name:20}{value}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
