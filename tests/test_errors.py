import pytest

from lrfind import errors

MISUSE = (errors.UsageError, errors.DataError, errors.RunError, errors.OutputError, errors.MissingExtraError)


def test_exit_codes_are_the_published_ones():
    codes = {code.name: int(code) for code in errors.ExitCode}
    assert codes == {"OK": 0, "CHECK_FAILED": 1, "BAD_INPUT": 2, "NO_RECOMMENDATION": 3, "INTERRUPTED": 130}


@pytest.mark.parametrize("error", MISUSE)
def test_every_misuse_is_an_lrfind_error_with_exit_code_2(error):
    assert issubclass(error, errors.LrfindError)
    assert error("what is wrong").exit_code == 2
    assert str(error("what is wrong")) == "what is wrong"


def test_the_tree_in_the_docstring_is_the_tree_of_classes():
    drawn = [line.split()[1] for line in errors.__doc__.splitlines() if line.strip().startswith(("├──", "└──"))]
    assert drawn == [error.__name__ for error in MISUSE]
    assert set(errors.LrfindError.__subclasses__()) >= set(MISUSE)
