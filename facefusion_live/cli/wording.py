"""What the parser of the command line found wrong, in this program's words."""

from collections.abc import Sequence

from cyclopts import CycloptsError, MissingArgumentError, UnknownCommandError, UnknownOptionError, UnusedCliTokensError

_WANTED = {
    "--input": "Give camera:0, a file, an address or synthetic.",
}


def in_our_words(error: CycloptsError, commands: Sequence[str]) -> tuple[str, str]:
    """What is wrong, without a full stop, and what to do about it.

    Args:
        error: What the parser raised.
        commands: Names of the program's commands.
    """
    said = str(error).splitlines()[0]
    command = " ".join(error.command_chain or ())
    advice = f"See facefusion-live {command} --help.".replace("  ", " ")
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        flag = error.argument.name
        return f"{command or 'facefusion-live'} needs {flag} with a value", _WANTED.get(flag, advice)
    if isinstance(error, UnknownOptionError):
        _, near, flag = said.partition(" Did you mean ")
        return f"there is no flag {error.token.keyword or error.token.value}", f"{near}{flag} {advice}".strip()
    if isinstance(error, (UnknownCommandError, UnusedCliTokensError)) and error.unused_tokens:
        word = error.unused_tokens[0]
        if isinstance(error, UnusedCliTokensError) and command:
            return f"{command} takes no {word!r}", advice
        return f"there is no command {f'{command} {word}'.strip()!r}", advice if command else _list(commands)
    return said.rstrip("."), advice


def _list(commands: Sequence[str]) -> str:
    return f"Commands: {', '.join(commands)}."
