"""What a planned run would reach, by the runs of each recipe."""

from modelcard.planning import Outlook, outlooks

__all__ = ["Outlook", "outlooks"]
