"""A newcomer without a fitting Java gets one sentence that says what to install."""

from pathlib import Path

import pytest

from indutech.jvm import java


def a_java(folder: Path, version: str) -> Path:
    """Make a program that says it is that Java, and return its home."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(
        f'#!/bin/sh\necho "    java.home = {folder}" >&2\necho "    java.specification.version = {version}" >&2\n'
    )
    program.chmod(0o755)
    return folder


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with no Java but those that a test makes."""
    monkeypatch.setattr(java, "USUAL_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.delenv("JAVA_HOME", raising=False)


@pytest.mark.java
def test_this_machine_has_a_fitting_java() -> None:
    """The program that is found is there, and is the one in the home that Spark is given."""
    assert java.find_java().is_file()
    assert java.find_java() == java.java_home() / "bin" / "java"


@pytest.mark.usefixtures("nothing_installed")
def test_missing_java_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """Without Java, `make setup` prints one line for each kind of machine and fails."""
    assert java.main() == 1

    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for word in ("Java 17 or 21", "apt install openjdk-17", "brew install", "conda install", "JAVA_HOME"):
        assert word in said


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("version", ["1.8", "11", "25"])
def test_unfit_java_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str) -> None:
    """A Java that Spark does not run on is refused, and the sentence says which one was found and where."""
    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path / "jdk", version)))

    with pytest.raises(java.JavaMissing, match=rf"Java {version.removeprefix('1.')} in {tmp_path}"):
        java.find_java()


@pytest.mark.usefixtures("nothing_installed")
def test_unfit_java_home_does_not_hide_a_fitting_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With an old JAVA_HOME and a Java 21 on the PATH, the 21 is used."""
    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path / "old", "11")))
    fitting = a_java(tmp_path / "Java vingt et un", "21")
    monkeypatch.setenv("PATH", str(fitting / "bin"))

    assert java.java_home() == fitting
