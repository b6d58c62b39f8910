"""The tables, as numbered steps from an empty file to the present. A step that was released is never
edited: what must change becomes a step of its own.

``seq`` is the order of arrival. What is kept beside the vote log so that nobody has to count:
``counters`` per study, ``pair_counts`` and ``cell_counts`` (votes that count, by answer) and
``asked_counts`` (duels asked by pair and input, ``one`` < ``other``). ``votes`` is the present state of
``vote_events``, the append-only log that ``check`` compares it with.
"""

from collections.abc import Mapping, Sequence

Steps = Mapping[str, Sequence[str]]

ANSWER_COLUMNS = (  # in the order of optimizer.domain.ANSWERS
    "first_clearly",
    "first",
    "first_slightly",
    "both_good",
    "both_bad",
    "second_slightly",
    "second",
    "second_clearly",
    "skip",
)

STEPS: Steps = {
    "0001_the_vote_log": (
        """
        CREATE TABLE studies (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            task TEXT NOT NULL,
            criteria TEXT NOT NULL,
            about TEXT NOT NULL,
            settings TEXT NOT NULL,
            seed INTEGER NOT NULL,
            created_at TEXT NOT NULL,
            archived_at TEXT
        ) STRICT
        """,
        """
        CREATE TABLE counters (
            study TEXT PRIMARY KEY REFERENCES studies (id),
            content_version INTEGER NOT NULL DEFAULT 0,
            vote_version INTEGER NOT NULL DEFAULT 0,
            duels INTEGER NOT NULL DEFAULT 0,
            votes INTEGER NOT NULL DEFAULT 0
        ) STRICT
        """,
        """
        CREATE TABLE prompts (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            study TEXT NOT NULL REFERENCES studies (id),
            name TEXT NOT NULL,
            text TEXT NOT NULL,
            parent TEXT REFERENCES prompts (id) DEFERRABLE INITIALLY DEFERRED,
            origin TEXT NOT NULL CHECK (origin IN ('written', 'forked', 'imported', 'proposed')),
            note TEXT NOT NULL,
            created_at TEXT NOT NULL,
            retired_at TEXT
        ) STRICT
        """,
        "CREATE INDEX prompts_of_study ON prompts (study)",
        """
        CREATE TABLE inputs (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            study TEXT NOT NULL REFERENCES studies (id),
            variables TEXT NOT NULL,
            tags TEXT NOT NULL,
            created_at TEXT NOT NULL,
            retired_at TEXT
        ) STRICT
        """,
        "CREATE INDEX inputs_of_study ON inputs (study)",
        """
        CREATE TABLE outputs (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            study TEXT NOT NULL REFERENCES studies (id),
            prompt TEXT NOT NULL REFERENCES prompts (id),
            input TEXT NOT NULL REFERENCES inputs (id),
            text TEXT NOT NULL,
            sample INTEGER NOT NULL,
            model TEXT NOT NULL,
            settings TEXT NOT NULL,
            usage TEXT NOT NULL,
            latency_ms REAL,
            finish_reason TEXT NOT NULL,
            error TEXT NOT NULL,
            created_at TEXT NOT NULL,
            usable INTEGER NOT NULL CHECK (usable IN (0, 1)),
            length INTEGER NOT NULL,
            UNIQUE (prompt, input, sample)
        ) STRICT
        """,
        # Covers Store.output_index, which must not read the texts.
        "CREATE INDEX outputs_of_study ON outputs (study, seq, id, prompt, input, sample, usable, length)",
        "CREATE INDEX outputs_of_input ON outputs (input)",
        """
        CREATE TABLE raters (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            study TEXT NOT NULL REFERENCES studies (id),
            name TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('human', 'judge')),
            created_at TEXT NOT NULL,
            set_aside_at TEXT
        ) STRICT
        """,
        "CREATE INDEX raters_of_study ON raters (study)",
        """
        CREATE TABLE duels (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            study TEXT NOT NULL REFERENCES studies (id),
            input TEXT NOT NULL REFERENCES inputs (id),
            first TEXT NOT NULL REFERENCES outputs (id),
            second TEXT NOT NULL REFERENCES outputs (id),
            first_prompt TEXT NOT NULL REFERENCES prompts (id),
            second_prompt TEXT NOT NULL REFERENCES prompts (id),
            rater TEXT NOT NULL REFERENCES raters (id),
            selector TEXT NOT NULL,
            reason TEXT NOT NULL,
            audit INTEGER NOT NULL CHECK (audit IN (0, 1)),
            asked_at TEXT NOT NULL,
            expires_at TEXT NOT NULL,
            replay INTEGER NOT NULL CHECK (replay IN (0, 1)),
            repeats TEXT REFERENCES duels (id) DEFERRABLE INITIALLY DEFERRED,
            closed_at TEXT,
            CHECK (first_prompt <> second_prompt)
        ) STRICT
        """,
        "CREATE INDEX duels_of_study ON duels (study)",
        "CREATE INDEX duels_of_rater ON duels (study, rater)",
        "CREATE INDEX open_duels ON duels (study, rater) WHERE closed_at IS NULL",
        """
        CREATE TABLE votes (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            study TEXT NOT NULL REFERENCES studies (id),
            duel TEXT NOT NULL REFERENCES duels (id),
            rater TEXT NOT NULL REFERENCES raters (id),
            outcome TEXT NOT NULL CHECK (outcome IN ('first', 'second', 'both_good', 'both_bad', 'skip')),
            at TEXT NOT NULL,
            grade TEXT CHECK (grade IN ('slightly', 'clearly')),
            view_ms INTEGER,
            first_reasons TEXT NOT NULL,
            second_reasons TEXT NOT NULL,
            comment TEXT NOT NULL,
            withdrawn_at TEXT,
            CHECK (grade IS NULL OR outcome IN ('first', 'second'))
        ) STRICT
        """,
        "CREATE INDEX votes_of_study ON votes (study)",
        "CREATE INDEX votes_of_rater ON votes (study, rater)",
        "CREATE INDEX votes_of_duel ON votes (duel)",
        "CREATE UNIQUE INDEX standing_votes ON votes (duel, rater) WHERE withdrawn_at IS NULL",
        """
        CREATE TABLE vote_events (
            seq INTEGER PRIMARY KEY,
            vote TEXT NOT NULL REFERENCES votes (id),
            kind TEXT NOT NULL CHECK (kind IN ('cast', 'withdrawn', 'restored', 'noted')),
            at TEXT NOT NULL,
            first_reasons TEXT,
            second_reasons TEXT,
            comment TEXT,
            CHECK ((kind IN ('cast', 'noted')) = (comment IS NOT NULL))
        ) STRICT
        """,
        """
        CREATE TABLE pair_counts (
            study TEXT NOT NULL REFERENCES studies (id),
            kind TEXT NOT NULL,
            first_prompt TEXT NOT NULL REFERENCES prompts (id),
            second_prompt TEXT NOT NULL REFERENCES prompts (id),
            first_clearly INTEGER NOT NULL,
            first INTEGER NOT NULL,
            first_slightly INTEGER NOT NULL,
            both_good INTEGER NOT NULL,
            both_bad INTEGER NOT NULL,
            second_slightly INTEGER NOT NULL,
            second INTEGER NOT NULL,
            second_clearly INTEGER NOT NULL,
            skip INTEGER NOT NULL,
            PRIMARY KEY (study, kind, first_prompt, second_prompt)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE cell_counts (
            study TEXT NOT NULL REFERENCES studies (id),
            kind TEXT NOT NULL,
            input TEXT NOT NULL REFERENCES inputs (id),
            first_prompt TEXT NOT NULL REFERENCES prompts (id),
            second_prompt TEXT NOT NULL REFERENCES prompts (id),
            first_clearly INTEGER NOT NULL,
            first INTEGER NOT NULL,
            first_slightly INTEGER NOT NULL,
            both_good INTEGER NOT NULL,
            both_bad INTEGER NOT NULL,
            second_slightly INTEGER NOT NULL,
            second INTEGER NOT NULL,
            second_clearly INTEGER NOT NULL,
            skip INTEGER NOT NULL,
            PRIMARY KEY (study, kind, input, first_prompt, second_prompt)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE asked_counts (
            study TEXT NOT NULL REFERENCES studies (id),
            one TEXT NOT NULL REFERENCES prompts (id),
            other TEXT NOT NULL REFERENCES prompts (id),
            input TEXT NOT NULL REFERENCES inputs (id),
            duels INTEGER NOT NULL,
            PRIMARY KEY (study, one, other, input),
            CHECK (one < other)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE connections (
            name TEXT PRIMARY KEY,
            server TEXT NOT NULL,
            model TEXT NOT NULL,
            temperature REAL,
            max_tokens INTEGER,
            input_price REAL,
            output_price REAL,
            concurrency INTEGER NOT NULL,
            requests_per_minute INTEGER,
            tokens_per_minute INTEGER,
            timeout_s REAL NOT NULL,
            created_at TEXT NOT NULL
        ) STRICT
        """,
    ),
    "0002_outputs_by_request": (
        # For Store.output_by_request; imported outputs answer no request of ours and are not in it.
        """
        CREATE INDEX outputs_by_request
        ON outputs (json_extract(settings, '$.request_hash'), usable DESC, seq)
        WHERE json_extract(settings, '$.request_hash') IS NOT NULL
        """,
    ),
    "0003_judges": (
        """
        CREATE TABLE rubrics (
            seq INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            study TEXT NOT NULL REFERENCES studies (id),
            version INTEGER NOT NULL,
            text TEXT NOT NULL,
            created_at TEXT NOT NULL,
            UNIQUE (study, version)
        ) STRICT
        """,
        "ALTER TABLE votes ADD COLUMN verdict TEXT NOT NULL DEFAULT '{}'",
    ),
    "0004_documents": (
        """
        CREATE TABLE documents (
            seq INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            id TEXT NOT NULL,
            study TEXT REFERENCES studies (id),
            body TEXT NOT NULL,
            version INTEGER NOT NULL,
            changed_at TEXT NOT NULL,
            UNIQUE (kind, id)
        ) STRICT
        """,
        "CREATE INDEX documents_of_study ON documents (kind, study, seq)",
    ),
    "0005_answers": (
        # For Asking.answers: the goal of a session is looked at whenever somebody asks.
        """
        CREATE INDEX answers_of_rater ON votes (study, rater)
        WHERE withdrawn_at IS NULL AND outcome <> 'skip'
        """,
    ),
}
