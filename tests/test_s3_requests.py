"""The committed count of requests to S3: what the bill takes from it, and what is refused."""

from decimal import Decimal
from pathlib import Path

import pytest

from indutech.costs.inputs.measurement import MeasurementError
from indutech.costs.inputs.s3_requests import REQUESTS_FILE, read_s3_requests
from indutech.costs.model import read_model


def test_the_bill_has_the_requests_that_were_counted() -> None:
    """Per micro-batch, at the two prices of S3, with deletions for nothing; dated, and with the way to count again."""
    counted = read_s3_requests()
    puts, gets = counted.billed()
    model = read_model()

    assert (model.usage["batch_put_requests"].base, model.usage["batch_get_requests"].base) == (puts, gets)
    ours = counted.committers["our stream"]
    assert puts + gets + ours.get("DELETE", Decimal()) == sum(ours.values())
    assert counted.measured_on in REQUESTS_FILE.read_text()


def test_ours_asks_for_least() -> None:
    """The reason for its committer, in figures."""
    counted = read_s3_requests()
    price = {name: counted.billed(name)[0] for name in counted.committers}

    assert min(price, key=price.__getitem__) == "our stream"


def test_a_count_that_is_none_is_refused(tmp_path: Path) -> None:
    """The field is named, and the command that makes it anew."""
    broken = tmp_path / "s3-requests.json"
    broken.write_text(REQUESTS_FILE.read_text().replace('"batches": 5', '"batches": 0'))

    with pytest.raises(MeasurementError, match=r"batches: .*python -m bench\.s3 --write"):
        read_s3_requests(broken)
