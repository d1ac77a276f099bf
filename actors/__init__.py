"""Actors: state with a mailbox, supervised; and those that play the experiments.

Layout, from the ground up:

    _mailbox     permits and a FIFO; _state: the lives of an actor; _restarts: how many crashes
    _actor       Actor: ask, tell, stop; _envelope: what is on its way to it
    _supervisor  Supervisor starts, restarts and stops actors

    _case        which config every experiment of a call tree plays; _current: the one played here
    _branch      one case being played for one call; _results: what it ends with
    _notes       what becomes of the branches, in few words (_telling), for the events
    _stage       what all actors of a runtime share on one loop
    _stepping    a coroutine in a context of its own; _permit, _message: two ways to wait
    _seen        what a thread plays, seen from another thread: for a watchdog
    _deadline    how long it may take; _alarms: one timer of the loop for all of them
    _deadlock    who waits for whom; _outcome: how a branch ended
    _case_actor  CaseActor plays the branches of one config (_tally, _circuit)

    _items       what comes of a stream; _consume: all of it, where nobody reads it
    _stream      a lead's stream, read item by item on the loop (_reading)

    _workers     threads of the runtime's own (_doorbell wakes them, _desk takes what they bring)
    _bridge      a sync function awaited in one
    _direct      a sync function called directly, in its caller's thread (_here, _permit_here)
    _stream_here a generator called directly, in its reader's thread
    _later       what a function returned that goes on: a coroutine, a generator
    _kind, _ways the kinds of functions, and how each is played

    _settings    what the calls of an experiment are made with; _lineup: the actors for them
    _casting     a plan with its actors (_product: whole-tree cases); _cast: one such call
    _strategy_actor, _experiment_supervisor    apply the strategy, route nested calls
"""

from ._actor import Actor as Actor
from ._alarms import Alarm as Alarm
from ._alarms import Alarms as Alarms
from ._branch import Branch as Branch
from ._bridge import Crew as Crew
from ._case import Choice as Choice
from ._case import ExperimentCase as ExperimentCase
from ._case_actor import CaseActor as CaseActor
from ._casting import Casting as Casting
from ._circuit import Circuit as Circuit
from ._circuit import CircuitBreaker as CircuitBreaker
from ._circuit import CircuitState as CircuitState
from ._current import CurrentCase as CurrentCase
from ._current import current_branch as current_branch
from ._current import current_experiment_case as current_experiment_case
from ._current import leave_branch as leave_branch
from ._direct import answer_here as answer_here
from ._direct import answer_whole_here as answer_whole_here
from ._direct import gather_here as gather_here
from ._doorbell import Doorbell as Doorbell
from ._errors import ActorError as ActorError
from ._errors import ActorStopped as ActorStopped
from ._errors import DeadlineExceeded as DeadlineExceeded
from ._errors import DeadlockError as DeadlockError
from ._errors import MailboxFull as MailboxFull
from ._experiment_supervisor import ExperimentSupervisor as ExperimentSupervisor
from ._experiment_supervisor import OffStageError as OffStageError
from ._experiment_supervisor import no_stream as no_stream
from ._here import StageGone as StageGone
from ._items import StreamLimitReached as StreamLimitReached
from ._items import StreamLimits as StreamLimits
from ._kind import Kind as Kind
from ._kind import kind_of as kind_of
from ._lineup import Lineup as Lineup
from ._mailbox import Mailbox as Mailbox
from ._notes import Bound as Bound
from ._notes import Caller as Caller
from ._notes import Captured as Captured
from ._notes import Done as Done
from ._notes import Ended as Ended
from ._notes import Note as Note
from ._notes import Notes as Notes
from ._notes import Planned as Planned
from ._notes import Sign as Sign
from ._notes import Started as Started
from ._reading import async_stream_of as async_stream_of
from ._restarts import Restarts as Restarts
from ._results import ExperimentCaseResults as ExperimentCaseResults
from ._results import FunctionResult as FunctionResult
from ._seen import Playing as Playing
from ._seen import callers_of as callers_of
from ._seen import cpu_clock_here as cpu_clock_here
from ._seen import cpu_time as cpu_time
from ._seen import played_by_workers as played_by_workers
from ._seen import played_on as played_on
from ._settings import Settings as Settings
from ._stage import Stage as Stage
from ._stage import Switches as Switches
from ._state import Emit as Emit
from ._state import State as State
from ._stream import Stream as Stream
from ._stream_here import stream_here as stream_here
from ._supervisor import Supervisor as Supervisor
from ._tally import Tally as Tally
from ._telling import error_in_words as error_in_words
from ._ways import ways_of as ways_of
from ._workers import Workers as Workers

__all__ = [
    "Actor",
    "ActorError",
    "ActorStopped",
    "Alarm",
    "Alarms",
    "Bound",
    "Branch",
    "Caller",
    "Captured",
    "CaseActor",
    "Casting",
    "Choice",
    "Circuit",
    "CircuitBreaker",
    "CircuitState",
    "Crew",
    "CurrentCase",
    "DeadlineExceeded",
    "DeadlockError",
    "Done",
    "Doorbell",
    "Emit",
    "Ended",
    "ExperimentCase",
    "ExperimentCaseResults",
    "ExperimentSupervisor",
    "FunctionResult",
    "Kind",
    "Lineup",
    "Mailbox",
    "MailboxFull",
    "Note",
    "Notes",
    "OffStageError",
    "Planned",
    "Playing",
    "Restarts",
    "Settings",
    "Sign",
    "Stage",
    "StageGone",
    "Started",
    "State",
    "Stream",
    "StreamLimitReached",
    "StreamLimits",
    "Supervisor",
    "Switches",
    "Tally",
    "Workers",
    "answer_here",
    "answer_whole_here",
    "async_stream_of",
    "callers_of",
    "cpu_clock_here",
    "cpu_time",
    "current_branch",
    "current_experiment_case",
    "error_in_words",
    "gather_here",
    "kind_of",
    "leave_branch",
    "no_stream",
    "played_by_workers",
    "played_on",
    "stream_here",
    "ways_of",
]
