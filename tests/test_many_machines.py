"""Many machines: two processes that share the data get the gradient of one that has it all."""

import os
import re
import runpy
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).parent / "examples" / "train_on_many_machines.py"


def start(*arguments, devices, script=EXAMPLE):
    """Start a script, by default the example, as a process of its own with so many devices."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    here = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.Popen(command, env=here, text=True, stdout=-1, stderr=subprocess.STDOUT)


def numbers(name, shown):
    """Return the numbers that a process printed after a name."""
    (line,) = re.findall(rf"^{name} +\[(.*)\]$", shown, re.M)
    return np.array(line.split(", "), "float32")


def free_address():
    """Return an address at which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return "127.0.0.1:{1}".format(*found.getsockname())


@pytest.fixture(scope="module")
def shown():
    """What two processes print, and then one that has two devices."""
    address = free_address()
    processes = [start(address, 2, i, devices=1) for i in range(2)] + [start(devices=2)]
    try:
        outputs = [process.communicate(timeout=120)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()  # nothing gentler: JAX holds back SIGTERM to save its work
    assert [process.returncode for process in processes] == [0] * 3, "\n".join(outputs)
    return outputs


def test_each_process_has_its_own_half_of_the_data(shown):
    for i in range(2):
        assert f"process {i} of 2 has 32768 of 65536 transitions\n" in shown[i]
    assert "process 0 of 1 has 65536 of 65536 transitions\n" in shown[2]


def test_both_processes_get_the_gradient_of_one_to_the_last_bit(shown):
    """A sum of two parts is the same in both orders; of another number of parts it is close."""
    first, second, on_two_devices = (numbers("gradient of all", text) for text in shown)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, on_two_devices)
    on_one_device = numbers("its own gradient", shown[2])
    np.testing.assert_allclose(first, on_one_device, rtol=2e-5)  # the same 65,536 terms


def test_neither_process_could_know_it_alone(shown):
    """The negative control of the test above: each half has a gradient of its own."""
    halves = [numbers("its own gradient", text) for text in shown[:2]]
    of_all = numbers("gradient of all", shown[0])
    np.testing.assert_allclose(np.mean(halves, axis=0), of_all, rtol=2e-5)
    assert all((abs(half / of_all - 1) > 1e-3).all() for half in halves)


def test_training_ends_where_it_ends_in_one_process_and_where_theory_says(shown):
    theta = numbers("theta", shown[0])
    np.testing.assert_array_equal(theta, numbers("theta", shown[2]))
    # A mean reward of 0.1, discounted by 0.9, is worth 1; its standard error here is 0.04.
    np.testing.assert_allclose(theta, [1, 0], atol=0.12)
    assert "theta" not in shown[1]  # one process writes the result


def test_walks_that_cannot_be_shared_evenly_are_refused():
    process = start(devices=3)
    shown = process.communicate(timeout=120)[0]
    assert process.returncode == 1
    assert shown == "2048 walks are not a multiple of 3 devices\n"


@pytest.mark.parametrize("arguments", [("127.0.0.1:1",), ("127.0.0.1:1", 2), ("127.0.0.1:1", 2, 2)])
def test_a_command_that_leaves_something_out_says_how_to_write_it(monkeypatch, capsys, arguments):
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(EXAMPLE), run_name="__main__")
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert "write all three, such as 127.0.0.1:1234 2 0 and, in another terminal," in said


def test_processes_with_different_numbers_of_devices_are_refused():
    address = free_address()
    processes = [start(address, 2, 0, devices=1), start(address, 2, 1, devices=3)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [1, 1]
    assert "process 0 has 1 devices, another has more or less" in outputs[0]
    assert "process 1 has 3 devices, another has more or less" in outputs[1]


PARTS_OF_3_AND_5 = """
import sys
import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

address, process = sys.argv[1], int(sys.argv[2])
jax.distributed.initialize(address, 2, process)
mesh = jax.make_mesh((2,), ("batch",), axis_types=(AxisType.Auto,))
dealt_out = NamedSharding(mesh, PartitionSpec("batch"))
rows = np.ones((3, 5)[process])
for all_rows in (8, 2 * len(rows)):
    try:
        print(jax.make_array_from_process_local_data(dealt_out, rows, (all_rows,)).shape)
    except ValueError as error:
        print("refused:", error)
"""


def test_unequal_parts_are_refused_where_the_shape_of_all_is_known(tmp_path):
    """As README and lesson 13 say; worked out from a process's own rows, they warn of it."""
    script, address = tmp_path / "parts.py", free_address()
    script.write_text(PARTS_OF_3_AND_5)
    processes = [start(address, i, devices=1, script=script) for i in range(2)]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    known, worked_out = zip(
        *(re.findall(r"^refused|^\(.*\)$", o, re.M) for o in outputs), strict=True
    )
    assert known == ("refused", "refused"), outputs
    assert worked_out == ("(6,)", "(10,)"), outputs
