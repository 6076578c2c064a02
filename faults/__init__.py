"""The roots of every exception of this project, the whole tree, and every exit code. A test keeps it true.

- ``OperatorFault``: whoever runs the process can mend it. The message is one sentence that says how; the command prints
  it and ends with the number below.
- ``SenderFault``: what somebody sent cannot be used. The message or code says what to do. It stops nobody else.
- Control flow: ends a wait or a search. Whoever raises it catches it as well.
- Anything else is a bug of ours: the process stops with the offset uncommitted, and the log shows lines of code and
  none of their values. A class of its own carries what is known of one out of a thread or a process.

A class that is named for a part of the system ends with ``Error`` below ``OperatorFault`` and with ``Fault`` below
``SenderFault``; one that is named for what happened has no such ending. ::

    OperatorFault 2
        AuthorityError
        BackupError
        BadEndpoint
        CannotLoad
        CheckFailed
        ConnectorError
            AreasError
            BrokerDown
                IntakeRefuses
            Changed
            IntakeError
            JournalError
            LayoutError
            MailError
        DanglingError
        DefinitionsError
        FiguresError
        GrafanaError
        HandOverError
            TooLate
        HealthPortError
        KeysError
        LogMoved
        LogSilent
        MigrationError
        MustStopError
        NoAnswer
        NoResultsYet
        NobodyAgrees
        NobodyNamed
        NotDelivered
        NotHere
        NotItself
        NotMended
        OutboxError
        PassesError
        ProvidersError
        RefusedError
        RegistryError
        ContractsError
        RenewalError
        RepartitionError
        ReplayError
            ReplayBusy
        ReportsBusy
        RewritingError
        ScheduleError
            GateRefuses
        SettingsError
        SimulationError
        SpicError
        StackError
        StageError
        TokenError
        TooManyDefinitions
        TooMuchPoison
        TopicError
        UnavailableError
        VisitorsError
    SenderFault
        CannotOpen
        Fault
        FileFault
        Full
        InvalidPoint
        Malformed
        NotTrusted
        Problem
        QueryFault
        SetAside
        Skipped
        TooFast
        Undecodable
        WorkerLost
        WrongKey
        XmlFault
    Control flow
        GateEnds
        Interrupted
        Stopping
        _Forbidden
        _Found
    Bugs
        IntakeBroken
        WorkerBroken

Exit codes of every command; ``sor COMMAND --help`` says which of them it has:

====  ==================================================================================================
0     done
1     done, and something is not well: refused, different, absent, not up, still to do. A bug ends so too
2     cannot be done: an ``OperatorFault``, or a word on the command line that is none
3     not known yet: no receipt in time, events came in during the audit, no stack is running
4     ``sor deliver``: no intake or broker, or it takes nothing
70    ``sor run``, ``sor intake``: a fault, or what time does not heal; nothing of the batch is committed
71    ``sor run``: a batch took too long while the group waited for it
72    ``sor run``, ``sor intake``: its work stood still for a minute, and nothing it waits for explains that
75    ``sor run``: this process was paused for longer than its fence allows
130   interrupted
====  ==================================================================================================
"""

from __future__ import annotations

from typing import ClassVar, Final

EXIT_CLEAN: Final = 0
EXIT_CANNOT: Final = 2
EXIT_FAULT: Final = 70
EXIT_SLOW_BATCH: Final = 71
EXIT_HANGS: Final = 72
EXIT_PAUSED: Final = 75


class OperatorFault(Exception):
    """Something that an operator can mend."""

    exit_code: ClassVar[int] = EXIT_CANNOT


class SenderFault(Exception):
    """Something that the sender of a file, record or request can mend."""
