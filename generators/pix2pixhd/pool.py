"""Earlier fakes, which the discriminator is shown again now and then.

Shrivastava et al., arXiv 1612.07828, section 2.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import numpy as np


class Pool:
    """A store of fakes.

    Parameters
    ----------
    size
        How many it holds; 0: what is shown is what came.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.held: list[torch.Tensor] = []

    def exchanged(self, fakes: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return what to show in place of fakes (N, C, H, W).

        While there is room each one is kept, and shown. Then every second one, by chance, is
        exchanged for one that was kept. One of another size is shown as it is.

        Examples
        --------
        >>> import numpy as np
        >>> pool, rng = Pool(2), np.random.default_rng(0)
        >>> [pool.exchanged(torch.full((1, 1, 1, 1), float(k)), rng).item() for k in range(6)]
        [0.0, 1.0, 1.0, 3.0, 4.0, 0.0]
        """
        if not self.size:
            return fakes
        shown = []
        for fake in fakes:
            if len(self.held) < self.size:
                self.held.append(fake)
            elif rng.random() > 0.5:
                which = int(rng.integers(self.size))
                if self.held[which].shape == fake.shape:
                    shown.append(self.held[which])
                    self.held[which] = fake
                    continue
            shown.append(fake)
        return torch.stack(shown)
