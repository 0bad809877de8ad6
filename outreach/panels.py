"""What higher apps put onto an answer in the inbox."""

from common.panels import Board

reply_board = Board()
