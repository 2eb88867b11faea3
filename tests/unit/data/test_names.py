"""The public names of the data room come one by one."""

from __future__ import annotations

import subprocess
import sys

import pytest

import mlpipeline.data
import mlpipeline.data.encoders
import mlpipeline.testing


@pytest.mark.parametrize("module", [mlpipeline.data, mlpipeline.data.encoders, mlpipeline.testing])
def test_every_public_name_can_be_imported(module: object) -> None:
    names = module.__all__  # type: ignore[attr-defined]
    assert names
    for name in names:
        assert getattr(module, name) is not None
        assert name in dir(module)
    with pytest.raises(AttributeError, match="Nobody"):
        module.Nobody  # type: ignore[attr-defined] # noqa: B018


def test_one_name_does_not_bring_all_the_others() -> None:
    script = (
        "import sys, mlpipeline.data, mlpipeline.data.encoders, mlpipeline.testing\n"
        "assert not {'numpy', 'pandas', 'pyarrow', 'pytest'} & set(sys.modules), sorted(sys.modules)\n"
        "from mlpipeline.data.encoders import Boolean\n"
        "assert 'mlpipeline.data.encoders.tokens' not in sys.modules\n"
        "assert 'sklearn' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
