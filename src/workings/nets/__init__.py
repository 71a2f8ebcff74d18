"""Networks, one family a file, each written from its equations.

``build("mlp", shape=(20,), outputs=3, hidden=(64, 64))`` makes one; ``infos()`` lists them.
"""

from __future__ import annotations

# The families, simplest first: importing one registers its nets, and the list keeps this order.
from workings.nets import perceptron as _perceptron  # noqa: F401  isort: skip
from workings.nets import linear as _linear  # noqa: F401  isort: skip
from workings.nets import mlp as _mlp  # noqa: F401  isort: skip
from workings.nets import maxout as _maxout  # noqa: F401  isort: skip
from workings.nets import cnn as _cnn  # noqa: F401  isort: skip
from workings.nets import resnet as _resnet  # noqa: F401  isort: skip
from workings.nets import whitened as _whitened  # noqa: F401  isort: skip
from workings.nets import spectral as _spectral  # noqa: F401  isort: skip
from workings.nets import nlinear as _nlinear  # noqa: F401  isort: skip
from workings.nets import recurrent as _recurrent  # noqa: F401  isort: skip
from workings.nets import encoder_decoder as _encoder_decoder  # noqa: F401  isort: skip
from workings.nets import transformer_encoder as _transformer_encoder  # noqa: F401  isort: skip
from workings.nets import gpt as _gpt  # noqa: F401  isort: skip
from workings.nets import transformer as _transformer  # noqa: F401  isort: skip
from workings.nets import autoencoder as _autoencoder  # noqa: F401  isort: skip
from workings.nets import vae as _vae  # noqa: F401  isort: skip
from workings.nets import gan as _gan  # noqa: F401  isort: skip
from workings.nets import rbm as _rbm  # noqa: F401  isort: skip
from workings.nets import dbn as _dbn  # noqa: F401  isort: skip
from workings.nets.registry import NetInfo, build, check_shape, info, infos, names, settle
from workings.nets.settings import SettingInfo

__all__ = ["NetInfo", "SettingInfo", "build", "check_shape", "info", "infos", "names", "settle"]
