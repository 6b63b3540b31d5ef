"""The audit trail on disk: SQLite through sqlite-utils, keys, mirrors of the head, daily files, archives, exports, syslog."""
