"""The timeline and the tasks on the pages of accounts and people."""

from accounts.panels import account_board
from activities.changes import changes_of_account, changes_of_person
from activities.views import booth_context, tasks_context, timeline_context
from people.panels import person_board

for board in (account_board, person_board):
    board.add(
        name="timeline", slot="main", template="activities/_timeline_panel.html", context=timeline_context, order=10
    )
    board.add(name="tasks", slot="side", template="activities/_tasks_panel.html", context=tasks_context, order=20)

CHANGES = "activities/_changes_panel.html"
account_board.add(name="changes", slot="side", template=CHANGES, context=changes_of_account, order=90)
person_board.add(name="changes", slot="side", template=CHANGES, context=changes_of_person, order=90)

person_board.add(name="booth", slot="actions", template="activities/_booth_button.html", context=booth_context, order=5)
person_board.add(name="visits", slot="main", template="activities/_booth_panel.html", context=booth_context, order=5)
