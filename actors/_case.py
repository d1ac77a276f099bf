"""The case: which config every experiment of one call tree plays."""

from typing import NamedTuple

import msgspec

from understudy.configs import Config, UnderstudyError


class Choice(NamedTuple):
    """The config that one experiment plays in a case.

    Example:
        >>> from understudy import Config
        >>> from understudy.actors import Choice
        >>> Choice(7, "answer", Config(model="large")).experiment
        'answer'
        >>> Choice(7, "answer", Config(model="large"))
        <Choice answer[large]>
    """

    key: int
    """What tells experiments apart, even those of one name."""
    experiment: str
    config: Config

    def __repr__(self) -> str:
        return f"<Choice {_role(self)}>"


class ExperimentCase(msgspec.Struct, frozen=True):
    """Which config every experiment of one call tree plays, seen from one of them.

    Attributes:
        experiment: the name of the experiment whose branch it is.
        config: the config that it plays.
        choices: what was chosen so far, for it and for others.
        key: what tells the experiment from others of its name.

    Example:
        >>> from understudy import Config
        >>> from understudy.actors import Choice, ExperimentCase
        >>> large = Config(model="large")
        >>> case = ExperimentCase("answer", large, (Choice(7, "answer", large),))
        >>> case.config.model, case.get_config_id("answer") == large.id
        ('large', True)
        >>> case.joined(Choice(8, "rank", Config(by="date")))
        <ExperimentCase answer[large], rank[date]>
    """

    experiment: str
    config: Config
    choices: tuple[Choice, ...]
    key: int = 0

    def get_config_id(self, experiment: str) -> str:
        """Return the id of the config that an experiment plays in this case.

        Raises:
            UnderstudyError: the case has not chosen for it (yet), or the name says two.
        """
        named = [choice for choice in self.choices if choice.experiment == experiment]
        found = named or [c for c in self.choices if c.experiment.endswith(f".{experiment}")]
        if len(found) == 1:
            return found[0].config.id
        known = ", ".join(repr(choice.experiment) for choice in self.choices)
        problem = "is not chosen for" if not found else "is ambiguous"
        raise UnderstudyError(f"experiment {experiment!r} {problem} in this case; it has {known}")

    def config_for(self, key: int) -> Config | None:
        """Return what an experiment plays, if that is chosen."""
        for choice in self.choices:
            if choice.key == key:
                return choice.config
        return None

    def joined(self, choice: Choice) -> "ExperimentCase":
        """Return the case with one more choice."""
        return ExperimentCase(self.experiment, self.config, (*self.choices, choice), self.key)

    def seen_from(self, choice: Choice) -> "ExperimentCase":
        """Return the same choices, as the branch of another experiment sees them."""
        others = tuple(other for other in self.choices if other.key != choice.key)
        return ExperimentCase(choice.experiment, choice.config, (*others, choice), choice.key)

    def __repr__(self) -> str:
        return f"<ExperimentCase {roles_in(self)}>"


def roles_in(case: ExperimentCase) -> str:
    """Say in a few words who plays which config, the experiment whose branch it is first."""
    own = _role(case)
    others = [told for told in map(_role, case.choices) if told != own]
    return ", ".join([own, *others])


def _role(choice: Choice | ExperimentCase) -> str:
    return f"{choice.experiment}[{choice.config.label}]"
