"""What higher apps put onto the page of a person."""

from common.panels import Board

person_board = Board()
