"""The answer in a sentence: who ranks first, or who cannot be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.run_folder import Row

TRACKS = {
    "same-data": "Trained on the same data",
    "as-published": "As published",
    "own": "Your own",
    "classical": "Classical methods",
    "control": "Controls",
}
"""Title of each track, in the order of the leaderboard. They are never ranked together."""

_AMONG = {
    "same-data": "Trained on the same data",
    "as-published": "As published",
    "own": "Among your own",
    "classical": "Among classical methods",
}


def headlines(rows: Sequence[Row]) -> list[str]:
    """Return one sentence for each track that has a result, controls excepted.

    Parameters
    ----------
    rows
        The leaderboard, best first within each track.
    """
    sentences = []
    for track, among in _AMONG.items():
        peers = [row for row in rows if row.track == track and row.mean_ap is not None]
        if peers:
            sentences.append(f"{among}, {_standing(peers)}.")
    return sentences or ["No segmenter produced a result."]


def rank_text(rank: tuple[int, int] | None) -> str:
    r"""Return a rank interval as text.

    Examples
    --------
    >>> rank_text((1, 1)), rank_text((2, 4)) == "2\N{EN DASH}4", rank_text(None)
    ('1', True, '')
    """
    if rank is None:
        return ""
    low, high = rank
    return str(low) if low == high else f"{low}\N{EN DASH}{high}"


def _standing(peers: Sequence[Row]) -> str:
    """Say who leads among the algorithms of one track."""
    best = peers[0]
    if best.rank is None:
        return f"{best.name} has a mean AP of {best.mean_ap:.3f} and no rival here"
    leaders = [row for row in peers if row.rank is not None and row.rank[0] == 1]
    names = _listed([row.name for row in leaders])
    if all(row.rank == (1, 1) for row in leaders):
        verb = "ranks" if len(leaders) == 1 else "share"
        return f"{names} {verb} first of {len(peers)}, with a mean AP of {best.mean_ap:.3f}"
    if len(leaders) == 1:
        return (
            f"{names} leads {len(peers)} with a mean AP of {best.mean_ap:.3f}, "
            f"rank {rank_text(best.rank)}"
        )
    ranks = [rank_text(row.rank) for row in leaders]
    rank = f"ranks {ranks[0]} each" if len(set(ranks)) == 1 else f"ranks {_listed(ranks)}"
    return f"{names} cannot be told apart ({rank})"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
