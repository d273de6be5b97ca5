"""Resamples among processes and machines: the same numbers, and one line when whoever computes them goes away."""

from __future__ import annotations

import os
import signal
import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from scalecalc.calibrate import sharing
from scalecalc.calibrate.fit import Fit
from scalecalc.calibrate.lawfit import fit_law
from scalecalc.calibrate.resample import bootstrap
from scalecalc.calibrate.runs import Runs
from scalecalc.calibrate.sharing import crew
from scalecalc.errors import FitError, UsageError
from scalecalc.laws import load


@pytest.fixture(scope="module")
def found() -> Fit:
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e10, 4), np.geomspace(1e9, 1e12, 4)))
    law = load("besiroglu-2024")
    observed = law.evaluate(N=n, D=d) * np.exp(np.random.default_rng(0).normal(0, 0.01, len(n)))
    return fit_law(law, Runs({"N": n, "D": d}, observed, np.arange(len(n)))).fit


def killed(item: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def failing(item: object) -> None:
    raise FitError("no optimum")


def test_a_killed_worker_is_one_line() -> None:
    with pytest.raises(UsageError, match=r"^--workers: a worker was ended before its work was"), crew(2) as share:
        list(share(killed, [1, 2]))


def test_not_both() -> None:
    with pytest.raises(UsageError, match="--workers and --cluster"), crew(2, "localhost:1"):
        pass


class Lost(Exception):
    """What Dask raises for futures of a lost scheduler."""


class Client:
    """Dask's client, computing here or not at all."""

    def __init__(self, status: str = "running", workers: int = 1, error: BaseException | None = None) -> None:
        self.status, self.workers, self.error, self.closed = status, workers, error, False

    def map(self, function: Any, items: list[Any], pure: bool) -> list[Any]:
        return [(function, item) for item in items]

    def gather(self, futures: list[Any]) -> list[Any]:
        if self.error is not None:
            raise self.error
        return [function(item) for function, item in futures]

    def scheduler_info(self) -> dict[str, Any]:
        return {"workers": {str(k): {} for k in range(self.workers)}}

    def close(self, timeout: float) -> None:
        self.closed = True


@pytest.fixture
def dask(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a client where Dask's is found."""
    monkeypatch.setattr(sharing, "PATIENCE", 0.05)
    monkeypatch.setattr(sharing, "GLANCE", 0.02)

    def put(client: Client) -> Client:
        def wait(futures: list[Any], timeout: float) -> None:
            if not (client.status == "running" and client.workers) and client.error is None:
                time.sleep(timeout)
                raise TimeoutError

        module = SimpleNamespace(
            Client=lambda address, timeout: client, wait=wait, TimeoutError=TimeoutError, CancelledError=Lost
        )
        monkeypatch.setitem(sys.modules, "distributed", module)
        return client

    return put


def test_processes_compute_what_one_does(found: Fit) -> None:
    """To the last bit, in two blocks."""
    alone = bootstrap(found, 700, 5)
    with crew(2) as share:
        assert (bootstrap(found, 700, 5, share).points == alone.points).all()
    assert (bootstrap(found, 20, 5).points == alone.points[:20]).all()


def test_a_cluster_computes_what_one_process_does(found: Fit, dask: Any) -> None:
    alone = bootstrap(found, 300, 5)
    client = dask(Client())
    with crew(cluster="tcp://here:8786") as share:
        shared = bootstrap(found, 300, 5, share)
    assert (shared.points == alone.points).all()
    assert client.closed


@pytest.mark.parametrize(
    ("client", "said"),
    [
        (Client(workers=0), "the cluster at 'tcp://here:8786' has no workers"),
        (Client(status="connecting"), "the cluster at 'tcp://here:8786' is gone"),
        (Client(error=Lost("cancelled")), "the cluster at 'tcp://here:8786' is gone"),
        (Client(error=ModuleNotFoundError("No module named 'scalecalc'")), r"failed \(No module named 'scalecalc'\)"),
    ],
)
def test_a_cluster_that_goes_away(client: Client, said: str, found: Fit, dask: Any) -> None:
    dask(client)
    with pytest.raises(UsageError, match=said), crew(cluster="tcp://here:8786") as share:
        bootstrap(found, 300, 5, share)
    assert client.closed


def test_an_error_of_the_fit_stays_one(dask: Any) -> None:
    dask(Client())
    with pytest.raises(FitError, match="no optimum"), crew(cluster="tcp://here:8786") as share:
        share(failing, [1])


def test_with_dask(found: Fit) -> None:
    """A scheduler and two workers of this machine; then no scheduler."""
    distributed = pytest.importorskip("distributed")
    local = distributed.LocalCluster(n_workers=2, processes=False, dashboard_address=None)
    with local as cluster, crew(cluster=cluster.scheduler_address) as share:
        shared = bootstrap(found, 300, 5, share)
    assert (shared.points == bootstrap(found, 300, 5).points).all()
    with pytest.raises(UsageError, match="no scheduler at 'localhost:1'"), crew(cluster="localhost:1"):
        pass
