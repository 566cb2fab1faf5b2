"""The general parts of a simulation: clock, queues, work, trails, draws; nothing here knows a data center."""
