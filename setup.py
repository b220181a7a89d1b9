"""What `pyproject.toml` cannot say: the dashboard's settings lie beside its folder here, and inside it in the wheel."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SETTINGS = Path(".streamlit") / "config.toml"


class WithSettings(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            inside = Path(self.build_lib) / "dashboard" / SETTINGS
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(SETTINGS, inside)


setup(cmdclass={"build_py": WithSettings})
