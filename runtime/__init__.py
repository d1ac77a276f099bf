"""Understudy: one function under many configurations.

Layout: the folders at the root of the repository are the packages.

    understudy.configs      sources, composed, expanded, frozen, bound to typed parameters
    understudy.strategies   pure choice: which config answers a call, and which run beside it
    understudy.actors       mailboxes, supervision, and the actors that play the experiments

and the rooms of this one:

    _runtime      Runtime: declaring, calling, choosing by hand, watching, living
    _experiment   a function, its configs and its strategy (_decorated: what users hold)
    _declare      what type checkers make of a function that becomes one; _keywords: of settings
    _calls        the ways to call one; _running: run and arun, _misuse: what to write instead
    _settings     what may be said of an experiment; _archive: what it did on loops that are gone
    _stages       the life on each loop: starting, draining, leaving
    _reload       experiments follow the files of their configs
    _hints        what a source tells of the experiments inside
    _drain        leaving: what is in flight ends, or is cancelled and reported
    _statistics   a snapshot; _subscription: whoever wants to know every result
    _watchdog     watches, while calls are in flight, that none holds the loop; _patrol: each look
    _events       what is told (_noted: made of notes), _sinks: where to (_sources: whence),
                  _outlet: out of the way; _telling holds them; _recorder: results, into
                  a run (_record: what that is)
    _shown        what is told of data, and what is not; _plain: copied, _captured: of calls,
                  _context: of where they are made; _samples: how busy cases are

Names are imported when they are first used, so that `import understudy` costs next to nothing.
"""

TYPE_CHECKING = False  # what type checkers take for true; importing it would cost more than we do

if TYPE_CHECKING:
    from understudy.actors import ActorError as ActorError
    from understudy.actors import ActorStopped as ActorStopped
    from understudy.actors import CircuitBreaker as CircuitBreaker
    from understudy.actors import DeadlineExceeded as DeadlineExceeded
    from understudy.actors import DeadlockError as DeadlockError
    from understudy.actors import ExperimentCase as ExperimentCase
    from understudy.actors import ExperimentCaseResults as ExperimentCaseResults
    from understudy.actors import FunctionResult as FunctionResult
    from understudy.actors import MailboxFull as MailboxFull
    from understudy.actors import StreamLimits as StreamLimits
    from understudy.actors import current_experiment_case as current_experiment_case
    from understudy.configs import Bind as Bind
    from understudy.configs import Config as Config
    from understudy.configs import ConfigError as ConfigError
    from understudy.configs import ConfigFileNotFoundError as ConfigFileNotFoundError
    from understudy.configs import ConfigKeyError as ConfigKeyError
    from understudy.configs import ConfigTypeError as ConfigTypeError
    from understudy.configs import DynamicValue as DynamicValue
    from understudy.configs import ExtraNotInstalledError as ExtraNotInstalledError
    from understudy.configs import RegistryError as RegistryError
    from understudy.configs import UnderstudyError as UnderstudyError
    from understudy.configs import build as build
    from understudy.configs import frange as frange
    from understudy.configs import grid as grid
    from understudy.configs import linspace as linspace
    from understudy.configs import load_config as load_config
    from understudy.configs import logspace as logspace
    from understudy.configs import merge as merge
    from understudy.configs import parse_configs as parse_configs
    from understudy.configs import register as register
    from understudy.configs import sample as sample
    from understudy.configs import sweep as sweep
    from understudy.configs import where as where
    from understudy.configs import zip_ as zip_
    from understudy.events import Event as Event
    from understudy.strategies import Call as Call
    from understudy.strategies import MultiBranchStrategy as MultiBranchStrategy
    from understudy.strategies import Plan as Plan
    from understudy.strategies import RoundRobinStrategy as RoundRobinStrategy
    from understudy.strategies import ShadowStrategy as ShadowStrategy
    from understudy.strategies import SingleConfigStrategy as SingleConfigStrategy
    from understudy.strategies import Strategy as Strategy
    from understudy.strategies import StrategyError as StrategyError

    from ._decorated import Decorated as Decorated
    from ._decorated import Options as Options
    from ._drain import DrainReport as DrainReport
    from ._events import EventsError as EventsError
    from ._runtime import Runtime as Runtime
    from ._settings import ExperimentError as ExperimentError
    from ._shown import Capture as Capture
    from ._sinks import CallableSink as CallableSink
    from ._sinks import FileSink as FileSink
    from ._sinks import LoggerSink as LoggerSink
    from ._sinks import MemorySink as MemorySink
    from ._statistics import CaseStatistics as CaseStatistics
    from ._statistics import ExperimentStatistics as ExperimentStatistics
    from ._statistics import RuntimeStatistics as RuntimeStatistics
    from ._subscription import Subscription as Subscription

    __version__: str

__all__ = [
    "ActorError",
    "ActorStopped",
    "Bind",
    "Call",
    "CallableSink",
    "Capture",
    "CaseStatistics",
    "CircuitBreaker",
    "Config",
    "ConfigError",
    "ConfigFileNotFoundError",
    "ConfigKeyError",
    "ConfigTypeError",
    "DeadlineExceeded",
    "DeadlockError",
    "Decorated",
    "DrainReport",
    "DynamicValue",
    "Event",
    "EventsError",
    "ExperimentCase",
    "ExperimentCaseResults",
    "ExperimentError",
    "ExperimentStatistics",
    "ExtraNotInstalledError",
    "FileSink",
    "FunctionResult",
    "LoggerSink",
    "MailboxFull",
    "MemorySink",
    "MultiBranchStrategy",
    "Options",
    "Plan",
    "RegistryError",
    "RoundRobinStrategy",
    "Runtime",
    "RuntimeStatistics",
    "ShadowStrategy",
    "SingleConfigStrategy",
    "Strategy",
    "StrategyError",
    "StreamLimits",
    "Subscription",
    "UnderstudyError",
    "build",
    "current_experiment_case",
    "frange",
    "grid",
    "linspace",
    "load_config",
    "logspace",
    "merge",
    "parse_configs",
    "register",
    "sample",
    "sweep",
    "where",
    "zip_",
]

_ROOMS = {
    "ActorError": "understudy.actors",
    "ActorStopped": "understudy.actors",
    "Bind": "understudy.configs",
    "Call": "understudy.strategies",
    "CallableSink": "._sinks",
    "Capture": "._shown",
    "CaseStatistics": "._statistics",
    "CircuitBreaker": "understudy.actors",
    "Config": "understudy.configs",
    "ConfigError": "understudy.configs",
    "ConfigFileNotFoundError": "understudy.configs",
    "ConfigKeyError": "understudy.configs",
    "ConfigTypeError": "understudy.configs",
    "DeadlineExceeded": "understudy.actors",
    "DeadlockError": "understudy.actors",
    "Decorated": "._decorated",
    "DrainReport": "._drain",
    "DynamicValue": "understudy.configs",
    "Event": "understudy.events",
    "EventsError": "._events",
    "ExperimentCase": "understudy.actors",
    "ExperimentCaseResults": "understudy.actors",
    "ExperimentError": "._settings",
    "ExperimentStatistics": "._statistics",
    "ExtraNotInstalledError": "understudy.configs",
    "FileSink": "._sinks",
    "FunctionResult": "understudy.actors",
    "LoggerSink": "._sinks",
    "MailboxFull": "understudy.actors",
    "MemorySink": "._sinks",
    "MultiBranchStrategy": "understudy.strategies",
    "Options": "._decorated",
    "Plan": "understudy.strategies",
    "RegistryError": "understudy.configs",
    "RoundRobinStrategy": "understudy.strategies",
    "Runtime": "._runtime",
    "RuntimeStatistics": "._statistics",
    "ShadowStrategy": "understudy.strategies",
    "SingleConfigStrategy": "understudy.strategies",
    "Strategy": "understudy.strategies",
    "StrategyError": "understudy.strategies",
    "StreamLimits": "understudy.actors",
    "Subscription": "._subscription",
    "UnderstudyError": "understudy.configs",
    "build": "understudy.configs",
    "current_experiment_case": "understudy.actors",
    "frange": "understudy.configs",
    "grid": "understudy.configs",
    "linspace": "understudy.configs",
    "load_config": "understudy.configs",
    "logspace": "understudy.configs",
    "merge": "understudy.configs",
    "parse_configs": "understudy.configs",
    "register": "understudy.configs",
    "sample": "understudy.configs",
    "sweep": "understudy.configs",
    "where": "understudy.configs",
    "zip_": "understudy.configs",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("understudy")
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_ROOMS[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
