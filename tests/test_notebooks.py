"""Headless runs: in order, in a room of their own, and a failure says where and why."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from indutech.report import execution as notebooks
from indutech.report import parameters
from indutech.report.execution import NotebookFailed
from indutech.report.parameters import ParameterError
from indutech.system.errors import InduTechError
from indutech.system.settings import Settings

PAPERMILL = Path(sys.executable).with_name("papermill")


def write(path: Path, *cells: str) -> Path:
    """A notebook of these code cells; the one that starts with `count` is its parameters cell."""
    made = [
        new_code_cell(cell, metadata={"tags": ["parameters"]} if cell.startswith("count") else {}) for cell in cells
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=[new_markdown_cell("# A notebook"), *made], metadata={"kernelspec": kernel})
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def base(tmp_path: Path) -> Settings:
    """Settings whose data folder is the test's."""
    return Settings(_env_file=None, data_dir=tmp_path / "données")


@pytest.mark.slow
def test_notebooks_run_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """02 finds what 01 left in the room that both share, although 02 was written first."""
    write(tmp_path / "02_reads.ipynb", "print((settings_dir := __import__('os').environ['INDUTECH_DATA_DIR']))",
          "assert open(settings_dir + '/left').read() == 'by 01'")  # fmt: skip
    write(tmp_path / "01_writes.ipynb", "import os",
          "open(os.environ['INDUTECH_DATA_DIR'] + '/left', 'w').write('by 01')")  # fmt: skip
    write(tmp_path / "draft.ipynb", "raise SystemExit(1)")

    with notebooks.room("test", Settings(_env_file=None, data_dir=tmp_path / "données")) as room:
        done = notebooks.run_all(notebooks.find_notebooks(tmp_path), room.data_dir / "executed", show_progress=False)

    assert [one.path.name for one in done] == ["01_writes.ipynb", "02_reads.ipynb"]


def test_a_room_is_empty_has_a_topic_of_its_own_and_is_forgotten(base: Settings) -> None:
    """What a run left is gone at the next, no two runs share a topic, and the environment is put back."""
    before = dict(os.environ)
    with notebooks.room("test", base) as first:
        (first.data_dir / "left").touch()
    with notebooks.room("test", base) as second:
        assert list(second.data_dir.iterdir()) == []
        assert os.environ["INDUTECH_DATA_DIR"] == str(second.data_dir) != str(base.data_dir)

    assert len({base.topic, first.topic, second.topic}) == 3
    assert dict(os.environ) == before


def test_two_runs_do_not_share_a_room(base: Settings) -> None:
    """A second report at the same moment is refused, and told where the first one is."""
    with (
        notebooks.room("test", base) as room,
        pytest.raises(InduTechError, match=str(room.data_dir)),
        notebooks.room("test", base),
    ):
        pass


@pytest.mark.slow
def test_a_failure_names_notebook_cell_and_cause_and_keeps_the_run(tmp_path: Path, base: Settings) -> None:
    """Whoever sees it in a terminal knows where to look; what comes later is not run."""
    write(tmp_path / "01_bad.ipynb", "x = 1", "y = x / 0  # the bad one", "print('never')")
    write(tmp_path / "02_later.ipynb", "x = 1")

    with pytest.raises(NotebookFailed) as failure, notebooks.room("test", base) as room:
        notebooks.run_all(notebooks.find_notebooks(tmp_path), room.data_dir, show_progress=False)

    kept = room.data_dir / "01_bad.ipynb"
    assert str(failure.value).splitlines() == [
        "01_bad.ipynb failed in cell 3: y = x / 0  # the bad one",
        "  ZeroDivisionError: division by zero",
        f"  The executed notebook is kept: {kept}",
    ]
    assert "ZeroDivisionError" in kept.read_text()
    assert not (room.data_dir / "02_later.ipynb").exists()


@pytest.mark.slow
def test_a_kernel_that_dies_is_a_failure_too(tmp_path: Path, base: Settings) -> None:
    """A kernel killed by the system does not hang the run."""
    write(tmp_path / "01_dies.ipynb", "import os, signal", "os.kill(os.getpid(), signal.SIGKILL)")

    with (
        pytest.raises(NotebookFailed, match=r"cell 3: os.kill.*\n.*its kernel died"),
        notebooks.room("t", base) as room,
    ):
        notebooks.run_all(notebooks.find_notebooks(tmp_path), room.data_dir, show_progress=False)


@pytest.mark.slow
def test_papermill_stops_at_a_misspelt_parameter(tmp_path: Path) -> None:
    """A misspelt `-p` fails by name, where papermill itself would only warn."""
    notebook = write(
        tmp_path / "n.ipynb",
        "from indutech.report import parameters",
        "count = 3\nseed = 7",
        "parameters.check(count=count, seed=seed)",
        "print('ran on')",
    )

    said = subprocess.run(
        [PAPERMILL, notebook, tmp_path / "out.ipynb", "-p", "cuont", "5"], capture_output=True, text=True, check=False
    )

    assert said.returncode != 0
    assert "Unknown parameter 'cuont'. This notebook takes: count, seed. Did you mean 'count'?" in said.stderr


@pytest.mark.parametrize("count", ["many", "5", 0, -1, 2.5, True, 10**9])
def test_an_impossible_value_is_an_error(count: object) -> None:
    """The message names the parameter and the value."""
    with pytest.raises(ParameterError, match=f"'count' cannot be {count!r}"):
        parameters.check(count=count)


@pytest.mark.slow
def test_papermill_accepts_a_right_parameter(tmp_path: Path) -> None:
    """The value reaches the cells after the check."""
    notebook = write(tmp_path / "n.ipynb", "from indutech.report import parameters", "count = 3",
                     "parameters.check(count=count)", "print(count * 2)")  # fmt: skip

    subprocess.run([PAPERMILL, notebook, tmp_path / "out.ipynb", "-p", "count", "21"], capture_output=True, check=True)

    ran = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert ran.cells[-1].outputs[0].text == "42\n"


def test_a_parameter_that_no_notebook_has_is_refused_before_the_run(tmp_path: Path) -> None:
    """`indutech report -p cuont=5` fails at once."""
    write(tmp_path / "01_n.ipynb", "count = 3")

    with pytest.raises(ParameterError, match="cuont"):
        notebooks.run_all(notebooks.find_notebooks(tmp_path), tmp_path / "out", {"cuont": 5}, show_progress=False)


def test_only_papermills_own_cell_counts_as_injected() -> None:
    """Variables that other cells assign are nobody's parameters."""
    cells = ["count = 3\nseed = 7", "# Parameters\ncuont = 5\nPAPERMILL_INPUT_PATH = 'x'\n", "total = count"]

    assert parameters.injected_names(cells) == ["cuont", "PAPERMILL_INPUT_PATH"]


def test_words_of_the_command_line_become_parameters() -> None:
    """Numbers are numbers; what is not name=value is refused."""
    assert parameters.from_text(["count=50_000", "region=eu-west-3"]) == {"count": 50_000, "region": "eu-west-3"}
    with pytest.raises(ParameterError, match="name=value"):
        parameters.from_text(["count"])


@pytest.mark.slow
def test_a_stopped_run_leaves_no_process(tmp_path: Path) -> None:
    """SIGTERM, which unwinds like Ctrl-C, ends the kernel and what the kernel had started."""
    write(tmp_path / "01_slow.ipynb", "import subprocess, time",
          f"child = subprocess.Popen(['sleep', '100']); open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))",
          "time.sleep(100)")  # fmt: skip
    program = (
        "import sys, pathlib; from indutech.report import execution; folder = pathlib.Path(sys.argv[1])\n"
        "execution.run_all(execution.find_notebooks(folder), folder / 'out')"
    )
    run = subprocess.Popen([sys.executable, "-c", program, tmp_path], stderr=subprocess.DEVNULL)
    wait_for((tmp_path / "pid").exists)
    family = psutil.Process(run.pid).children(recursive=True)

    run.send_signal(signal.SIGTERM)

    assert run.wait(30) != 0
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


def wait_for(happened: object, seconds: float = 30) -> None:
    """Wait with a deadline."""
    deadline = time.monotonic() + seconds
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
