"""CaseActor: one config of one experiment, playing its branches.

The primary of a call is played in the caller's own task, so that a cancellation reaches it as it
reaches any awaited coroutine, and a call that does not suspend costs no task. Shadows and the other
branches of a call are messages: they wait in the mailbox without a task, and get one when it is
their turn.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, final

import msgspec

from understudy.configs import Config

from ._actor import GRACE, Actor
from ._branch import CURRENT, Branch, Part, Role
from ._case import Choice, ExperimentCase
from ._circuit import Circuit
from ._deadline import arm, deadline_of
from ._errors import ActorStopped, MailboxFull
from ._mailbox import Mailbox, SharedMailbox
from ._message import Message
from ._notes import Sign
from ._outcome import resolve, status_of, take_task, withdraw_interruptions
from ._permit import Beside, must_wait, queue_up, step_out
from ._results import FunctionResult, Status
from ._stage import Stage
from ._state import Emit, State
from ._stepping import carry_on
from ._tally import Tally
from ._telling import tell_circuit, tell_ended, tell_planned, tell_shed, tell_started

if TYPE_CHECKING:
    from ._cast import Cast
    from ._experiment_supervisor import ExperimentSupervisor

Fill = Callable[[tuple[Any, ...], Mapping[str, Any]], tuple[tuple[Any, ...], Mapping[str, Any]]]
"""Lays what a config fills in into the arguments of a call."""

_NEVER_DATA = (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit)
"""What is raised even where results are asked for: it concerns the caller itself."""

_enter = CURRENT.set


@final
class CaseActor(Actor[Any, Any]):
    """One config of one experiment: its mailbox, its limits, its counters, its circuit."""

    # There may be very many, most of them idle: what few have is not made before it is needed.
    shadows: int = 0
    """How many shadows are in flight: played, or in the mailbox."""
    circuit: Circuit | None = None
    direct: Tally | None = None
    """Counts direct calls; other threads touch it, under the lock of the stage."""
    signs: dict[tuple[Role, str, str | None], Sign] | None = None
    """What it plays, in words, by role, reason and inner case: for the notes."""
    _case: ExperimentCase | None = None

    def __init__(
        self,
        supervisor: "ExperimentSupervisor",
        config: Config,
        fill: Fill | None,
        *,
        concurrency: int,
        mailbox: int,
    ) -> None:
        label = supervisor.stage.label_of(config)
        super().__init__(f"{supervisor.name}[{label}]", concurrency=concurrency, mailbox=mailbox)
        self.supervisor = supervisor
        self.stage: Stage = supervisor.stage
        self.key: int = supervisor.key
        self.config = config
        self.tally: Tally = Tally()
        self.active: dict[Branch, None] = {}
        """The branches that are suspended, or run in a task of their own."""
        self.fill = fill
        self._function = supervisor.ways.on_loop
        if self.stage.is_shared:
            self.mailbox: Mailbox = SharedMailbox(concurrency, mailbox, self.stage.lock)
            self.mailbox.close()
        self.emit: Emit | None = self.stage.emit
        self._run()
        self._tell_event("actor.started")

    @property
    def _experiment(self) -> str:
        return self.supervisor.name

    def _tell_event(self, event: str, **fields: Any) -> None:
        if event == "actor.started":
            config = self.config
            label = self.stage.label_of(config)
            fields |= {"config_id": config.id, "label": label, "values": config}
        super()._tell_event(event, **fields)

    @property
    def counts(self) -> Tally:
        """What it has done so far."""
        return self.tally if self.direct is None else self.tally.plus(self.direct)

    @property
    def case(self) -> ExperimentCase:
        """The case in which nothing but its own config is chosen."""
        if self._case is None:
            name = self.supervisor.name
            choice = Choice(self.key, name, self.config)
            self._case = ExperimentCase(name, self.config, (choice,), self.key)
        return self._case

    @property
    def choice(self) -> Choice:
        """The choice of its own config."""
        return self.case.choices[0]

    @property
    def in_flight(self) -> int:
        """How many branches are played here, or wait."""
        direct = 0 if self.direct is None else self.direct.planned - self.direct.ended
        return self.tally.planned - self.tally.ended + direct

    # In the caller's task

    async def play(
        self,
        part: Part,
        parent: Branch | None,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        beside: Beside | None = None,
        whole: bool = False,
    ) -> Any:
        """Play a branch here and now; return its value, or (`whole`) its FunctionResult."""
        stage = self.stage
        clock = stage.clock
        asked = clock()
        number = stage.next_id()
        call_id = number if beside is None else beside.call_id
        branch = Branch(part, parent, call_id, number, asked, asked)
        if parent is not None:
            deadline_of(branch, part, parent)
        elif part.timeout:
            branch.deadline = asked + part.timeout
        self.tally.planned += 1
        notes = stage.notes
        is_planned = beside is not None  # and told: by the cast
        value = error = begun = None
        mailbox = self.mailbox
        try:
            if mailbox.permits > 0:
                mailbox.permits -= 1
            else:
                branch.holds_permit = False
                if notes is not None and not is_planned:
                    is_planned = True
                    tell_planned(notes, asked, part, parent, call_id)
                if must_wait(branch):
                    turn = queue_up(branch, beside)
                    try:
                        await turn
                    finally:
                        branch.holds_permit = step_out(branch, turn)
                branch.started = clock()
            branch.has_begun = True
            if notes is not None:
                begun = tell_started(notes, branch, is_planned)
            context = copy_context()
            context.run(_enter, branch)
            if self.fill is not None:
                args, kwargs = self.fill(args, kwargs)
            play = self._function
            coroutine = play(*args, **kwargs) if kwargs else play(*args)
            caller, stage.stepping = stage.stepping, branch  # for those who watch
            try:
                awaited = context.run(coroutine.send, None)
            except StopIteration as stop:
                stage.stepping = caller
                value = stop.value
            except BaseException:
                stage.stepping = caller
                raise
            else:
                stage.stepping = caller
                self.active[branch] = None
                take_task(branch)
                if branch.deadline:
                    arm(branch)
                if beside is not None:
                    beside.start()
                value = await carry_on(branch, context, coroutine, awaited)
        except BaseException as raised:
            error = raised if branch.task is None else resolve(branch, raised)
        ended = clock()
        branch.is_over = True
        if branch.task is not None:
            self._wake(branch)
        elif error is not None:
            self._tell_of_refusal(branch, error, beside)
        if branch.holds_permit and not branch.threads:
            if mailbox.waiting:
                mailbox.give_back()
            else:
                mailbox.permits += 1
        if branch.abandoned_as is not None:
            if whole and not isinstance(error, _NEVER_DATA):
                return branch.abandoned_as
            if error is None:
                return value
            try:
                raise error
            finally:
                error = None  # as below
        if whole or part.observer is not None or stage.listeners or error is not None:
            result = self.end(branch, value, error, ended)
            branch.interruption = None
            try:
                if whole and not isinstance(error, _NEVER_DATA):
                    return result
                if error is not None:
                    raise error
            finally:  # the traceback of an error holds this frame: no cycle must stay behind
                del result
                error = None
        else:
            self.tally.ok += 1
            self.tally.took(ended - branch.started)
            if begun is not None and notes is not None:
                pad = notes.pad  # as `tell_ok` does: a call less, for each call that is told
                pad.append(("ok", ended, begun))
                if len(pad) > notes.most:
                    notes.attend()
        if ended > stage.slice_end:
            if beside is not None:
                beside.start_after()  # or those of a later call would come first
            await stage.let_others_run(ended)
        return value

    def _tell_of_refusal(self, branch: Branch, error: BaseException, beside: Beside | None) -> None:
        """Have nothing play beside a branch that was refused."""
        if isinstance(error, MailboxFull) and beside is not None and not branch.has_begun:
            beside.skip("primary_shed")

    def _wake(self, branch: Branch) -> None:
        """Let go of what a branch had while it was suspended."""
        self.active.pop(branch, None)
        if branch.timer is not None:
            branch.timer.cancel()
            branch.timer = None
        if branch.interruptions:
            withdraw_interruptions(branch)

    # In a task of its own

    def post(
        self,
        part: Part,
        parent: Branch | None,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        cast: "Cast",
    ) -> "Message":
        """Have a branch played when it is its turn; it may end at once, as shed or skipped."""
        stage = self.stage
        message = self._message(part, parent, args, kwargs, cast)
        branch = message.branch
        mailbox = self.mailbox
        if mailbox.permits <= 0 or stage.is_draining or cast.limit is not None:
            reason = self._reason_to_shed(part, cast)
            if reason is not None:
                message.end("shed", reason)
                return message
        if part.role == "shadow":
            if self.circuit is not None and not self.circuit.lets_through():
                message.end("skipped", "circuit_open")
                return message
            message.circuit_turn = 0 if self.circuit is None else self.circuit.turn
            self.shadows += 1
            message.is_counted = True
        if branch.deadline:
            branch.timer = stage.alarms.at(branch.deadline, Message.lapse, message)
        if mailbox.take():
            if not message.begin():
                mailbox.give_back()
        else:
            branch.holds_permit = False
            mailbox.wait(message)
        return message

    def skip(self, part: Part, parent: Branch | None, cast: "Cast", reason: str) -> "Message":
        """Account for a branch that was planned, and is not played."""
        message = self._message(part, parent, (), {}, cast)
        message.end("skipped", reason)
        return message

    def _message(
        self,
        part: Part,
        parent: Branch | None,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        cast: "Cast",
    ) -> "Message":
        stage = self.stage
        number = stage.next_id()
        now = stage.clock()
        branch = Branch(part, parent, cast.call_id, number, now, now)
        if part.role == "shadow":
            branch.is_shadowed = True
            parent = None  # nobody waits for it: what time is left is its own
        if part.timeout or parent is not None:
            deadline_of(branch, part, parent)
        self.tally.planned += 1
        return Message(self, branch, args, kwargs, cast, copy_context())

    def _reason_to_shed(self, part: Part, cast: "Cast") -> str | None:
        if self.state is not State.RUNNING:
            return str(self.state)
        if part.role != "shadow":
            return "mailbox_full" if part.is_rejected and self.mailbox.is_full else None
        if self.stage.is_draining:
            return "draining"
        if cast.limit is not None and self.shadows >= cast.limit:
            return "limit"
        is_busy = self.mailbox.permits <= 0
        return "mailbox_full" if is_busy and self.mailbox.is_full else None

    async def perform(self, message: "Message") -> None:
        """Play a branch that has this task to itself."""
        branch = message.branch
        stage = self.stage
        _enter(branch)
        branch.has_begun = True
        self.active[branch] = None
        branch.started = stage.clock()
        value = error = None
        try:
            if stage.notes is not None:
                message.begun = tell_started(stage.notes, branch, is_planned=True)
            args, kwargs = message.args, message.kwargs
            if self.fill is not None:
                args, kwargs = self.fill(args, kwargs)
            play = self._function
            value = await (play(*args, **kwargs) if kwargs else play(*args))
        except BaseException as raised:  # SystemExit too: recorded, not obeyed
            error = raised if branch.interruption is None else resolve(branch, raised)
        try:
            message.finish(value, error)
        finally:
            message.leave()
            del message, error  # the traceback of an error holds this frame: no cycle stays behind

    # What is left of one

    def end(
        self,
        branch: Branch,
        value: Any,
        error: BaseException | None,
        ended: int,
    ) -> FunctionResult[Any]:
        """Account for a branch that ran, or was to run, and tell those who want to know."""
        status, reason = status_of(branch, error)
        if not branch.has_begun:
            branch.started = ended
        elif status != "cancelled":
            self.tally.took(ended - branch.started)
        return self.conclude(branch, status, reason, value, error, ended)

    def count(self, status: Status) -> None:
        """Count a branch that has ended."""
        setattr(self.tally, status, getattr(self.tally, status) + 1)

    def conclude(
        self,
        branch: Branch,
        status: Status,
        reason: str,
        value: Any,
        error: BaseException | None,
        ended: int,
    ) -> FunctionResult[Any]:
        """Make the FunctionResult: the one terminal message of a branch."""
        if status == "ok":
            self.tally.ok += 1
        else:
            self.count(status)
        result = self.result_of(branch, status, reason, value, error, ended)
        observer = branch.part.observer
        if observer is not None or self.stage.listeners:
            self.supervisor.collect(result, observer)
        return result

    def result_of(
        self,
        branch: Branch,
        status: Status,
        reason: str,
        value: Any,
        error: BaseException | None,
        ended: int,
    ) -> FunctionResult[Any]:
        """Make the FunctionResult, and tell the events of it."""
        stage = self.stage
        prefix = stage.prefix
        part, parent, items, started = branch.part, branch.parent, branch.items, branch.started
        result: FunctionResult[Any] = FunctionResult(
            value,
            error,
            branch.case_now if part.joins else branch.grown_case or part.case,
            status,
            reason,
            part.role,
            stage.epoch + started / 1e9,
            (ended - started) / 1e9,
            (started - branch.asked) / 1e9,
            f"{prefix}{branch.call_id}",
            f"{prefix}{branch.id}",
            None if parent is None else parent.name,
        )
        if items is not None:
            first = (items.first_at - branch.asked) / 1e9 if items.count else None
            result = msgspec.structs.replace(
                result, result=items.kept, items=items.count, first_item=first
            )
        if stage.notes is not None:
            tell_ended(stage.notes, branch, status, reason, error, ended)
        elif status == "shed":
            tell_shed(self, reason)
        return result

    def refusal(self) -> ActorStopped:
        """Return the error of one who comes when nothing is played here any more."""
        return self._gone()

    def note_for_circuit(self, status: Status, turn: int) -> None:
        """Tell the circuit how a shadow ended that it let through in one of its turns."""
        circuit = self.circuit
        if status in ("error", "timeout"):
            breaker = self.supervisor.breaker
            if circuit is None and breaker is not None:
                circuit = Circuit(
                    breaker, self.stage.clock, lambda state: tell_circuit(self, state)
                )
                self.circuit = circuit
            if circuit is not None:
                circuit.failed(turn)
        elif circuit is not None:
            if status == "ok":
                circuit.succeeded(turn)
            else:
                circuit.ended_otherwise(turn)

    async def _interrupt(self) -> None:
        self.cancel_all("stopped", "stopped")
        me = asyncio.current_task()
        tasks = [message.branch.task for message in self._messages()]
        others = [task for task in tasks if task is not None and task is not me]
        if others:
            await asyncio.wait(others, timeout=GRACE)
            await asyncio.sleep(0)  # for the mailbox to be told

    def cancel_all(
        self, problem: str, reason: str, spared: frozenset[Branch] = frozenset()
    ) -> None:
        """Cancel what is played and what waits; who waits for it gets an error of ours."""
        for entry in self.mailbox.clear():
            entry.refuse(ActorStopped(f"{self.name}: {problem}", reason))
        for message in self._messages():
            if message.branch not in spared:
                message.cancel(ActorStopped(f"{self.name}: {problem}", reason))
        for branch in [*self.active]:
            if branch.interruption is None and branch not in spared:
                branch.interrupt(ActorStopped(f"{self.name}: {problem}", reason))

    def abandon(self) -> None:
        """Account for what does not end, though cancelled: what it still does counts no more."""
        for message in self._messages():
            if message.branch.interruption is not None:
                message.end("cancelled", "abandoned", message.branch.interruption)
        with self.stage.lock:  # a direct call ends in its caller's thread
            for branch in [*self.active]:
                if branch.interruption is not None:
                    del self.active[branch]
                    now, error = self.stage.clock(), branch.interruption
                    branch.abandoned_as = self.conclude(
                        branch, "cancelled", "abandoned", None, error, now
                    )

    def _messages(self) -> list[Message]:
        return [message for message in self.stage.playing.values() if message.actor is self]
