"""The options of a training, by the names that users of the original know.

What is left open here is decided by `plan.resolved`, once the data is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the command line reads it
from typing import Annotated

from cyclopts import Parameter

from generators.pix2pixhd.resizing import Mode  # noqa: TC001 - the command line reads it
from generators.pix2pixhd.settings import NetG, Norm  # noqa: TC001 - the command line reads it

Flag = Annotated[bool, Parameter(negative="")]

SPELT = {
    "batch_size": "batchSize",
    "load_size": "loadSize",
    "fine_size": "fineSize",
    "net_g": "netG",
    "num_d": "num_D",
    "n_layers_d": "n_layers_D",
    "n_downsample_e": "n_downsample_E",
    "no_gan_feat_loss": "no_ganFeat_loss",
}
"""Options that the original does not write in small letters."""


@dataclass(frozen=True)
class InputOptions:
    """What networks see and make.

    Parameters
    ----------
    label_nc
        Labels, each a channel; 0: pictures are given. By default 35, of A and B folders 0, of a
        data set 2: background and objects.
    input_nc
        Channels of pictures that are given; by default 3, of a data set 1.
    output_nc
        Channels of pictures that are made; by default 3, of a data set as its images have.
    no_instance
        Do without the edges of instances.
    instance_feat
        Learn a code for each instance.
    label_feat
        Learn a code for each label of a picture.
    feat_num
        Length of a code.
    n_downsample_e
        Halvings of the encoder of codes.
    nef
        Channels of its first layer.
    n_clusters
        Representative codes of each class.
    resize_or_crop
        What is done to sizes; by default scale_width, of a data set crop.
    load_size
        Width that pictures are scaled to.
    fine_size
        Side of the square that is cut; by default 512, of a data set at most 256.
    no_flip
        Do not mirror pictures at random.
    black
        Grey that becomes -1; by default 0, of 16 bits the darkest there is.
    white
        Grey that becomes 1; by default 255, of 16 bits the brightest there is.
    """

    label_nc: int | None = None
    input_nc: int | None = None
    output_nc: int | None = None
    no_instance: Flag = False
    instance_feat: Flag = False
    label_feat: Flag = False
    feat_num: int = 3
    n_downsample_e: Annotated[int, Parameter(name="--n_downsample_E")] = 4
    nef: int = 16
    n_clusters: int = 10
    resize_or_crop: Mode | None = None
    load_size: Annotated[int, Parameter(name="--loadSize")] = 1024
    fine_size: Annotated[int | None, Parameter(name="--fineSize")] = None
    no_flip: Flag = False
    black: float | None = None
    white: float | None = None


@dataclass(frozen=True)
class NetworkOptions:
    """What networks are made of.

    Parameters
    ----------
    net_g
        global, or local with enhancers round the global generator.
    ngf
        Channels of the generator's first layer.
    n_downsample_global
        Halvings of the global generator.
    n_blocks_global
        Residual blocks of the global generator.
    n_local_enhancers
        Enhancers, each of which doubles the size.
    n_blocks_local
        Residual blocks of an enhancer.
    norm
        instance or batch.
    num_d
        Scales of discriminators.
    n_layers_d
        Layers of each.
    ndf
        Channels of their first layer.
    """

    net_g: Annotated[NetG, Parameter(name="--netG")] = "global"
    ngf: int = 64
    n_downsample_global: int = 4
    n_blocks_global: int = 9
    n_local_enhancers: int = 1
    n_blocks_local: int = 3
    norm: Norm = "instance"
    num_d: Annotated[int, Parameter(name="--num_D")] = 2
    n_layers_d: Annotated[int, Parameter(name="--n_layers_D")] = 3
    ndf: int = 64


@dataclass(frozen=True)
class LearningOptions:
    """How networks learn.

    Parameters
    ----------
    batch_size
        Pictures a step, of all processes together.
    niter
        Epochs at the first learning rate.
    niter_decay
        Epochs in which it comes down to nothing.
    niter_fix_global
        Epochs in which only the outermost enhancer learns.
    lr
        Learning rate.
    beta1
        Of Adam.
    lambda_feat
        Weight of feature matching, and of VGG.
    no_gan_feat_loss
        Do without feature matching.
    no_vgg_loss
        Do without VGG.
    vgg
        Weights of VGG19: torchvision's vgg19-dcbb9e9d.pth, or the same as .safetensors.
    no_lsgan
        Cross-entropy in place of least squares.
    pool_size
        Earlier fakes that discriminators are shown again.
    fp16
        Compute with 16 bits, for GPUs.
    bf16
        Compute with 16 bits of float32's range.
    seed
        Of all that is drawn.
    """

    batch_size: Annotated[int, Parameter(name="--batchSize")] = 1
    niter: int = 100
    niter_decay: int = 100
    niter_fix_global: int = 0
    lr: float = 0.0002
    beta1: float = 0.5
    lambda_feat: float = 10.0
    no_gan_feat_loss: Annotated[bool, Parameter(name="--no_ganFeat_loss", negative="")] = False
    no_vgg_loss: Flag = False
    vgg: Path | None = None
    no_lsgan: Flag = False
    pool_size: int = 0
    fp16: Flag = False
    bf16: Flag = False
    seed: int = 0


def flag(name: str) -> str:
    """Return what an option is called on the command line.

    Examples
    --------
    >>> flag("load_size"), flag("no_flip")
    ('--loadSize', '--no_flip')
    """
    return f"--{SPELT.get(name, name)}"
