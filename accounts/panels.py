"""What higher apps put onto the page of an account."""

from common.panels import Board

account_board = Board()
