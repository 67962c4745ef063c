"""Extension modules. ARRANGEMENTS_BUILD selects release (default), checked or coverage."""
import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

MODE = os.environ.get("ARRANGEMENTS_BUILD", "release")
# Signs depend on every rounding being counted: no contraction, no -ffast-math, no -march.
FLAGS = {
    "release": ["-O3"],
    "checked": ["-O1", "-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer",
                "-fno-sanitize-recover=undefined"],
    "coverage": ["-O1", "--coverage"],
}
if MODE not in FLAGS:
    raise SystemExit(f"ARRANGEMENTS_BUILD must be one of {', '.join(FLAGS)}, got {MODE!r}")
compile_args = [*FLAGS[MODE], "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
link_args = [flag for flag in FLAGS[MODE] if flag.startswith(("-fsanitize", "--coverage"))]

extensions = [
    Extension(".".join(source.with_suffix("").parts), [str(source)],
              depends=["arrangements/walk/kernels.h"], include_dirs=["arrangements/walk"],
              extra_compile_args=compile_args, extra_link_args=link_args)
    for source in sorted(Path("arrangements").rglob("*.pyx"))
]

CHECKED = MODE == "checked"
setup(
    options={"build_ext": {"parallel": os.cpu_count()}},
    ext_modules=cythonize(
        extensions,
        language_level=3,
        compiler_directives={
            "boundscheck": CHECKED,
            "wraparound": False,
            "initializedcheck": CHECKED,
            "cdivision": True,
            "overflowcheck": CHECKED,
            "embedsignature": True,
            # no module has globals that change after its import: state is in workers, arguments
            "freethreading_compatible": True,
        },
    ),
)
