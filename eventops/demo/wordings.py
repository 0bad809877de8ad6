"""What the people of the demo write to each other."""

TEMPLATES = (
    (
        "Save the date",
        "{{ event }}: shall we meet?",
        """Hello {{ first_name | "there" }},

{{ event }} is coming closer ({{ event_dates }}, {{ venue }}). We show how small fleets of autonomous trucks \
move goods without rebuilding a hall. Would you have twenty minutes for us at booth {{ booth }}?

Best regards
{{ my_name }}, {{ my_company }}""",
    ),
    (
        "Invitation to the booth",
        "{{ company }} and {{ my_company }} at {{ event }}",
        """Hello {{ first_name | "there" }},

at booth {{ booth }} we run the K3 every full hour, on a floor as uneven as a real one. Most people ask about \
charging and about mixed traffic first; we have answers to both. Which day suits you?

Best regards
{{ my_name }}""",
    ),
    (
        "Short reminder",
        "One question before {{ event }}",
        """Hello {{ first_name | "there" }},

I wrote to you about {{ event }}. Who at {{ company }} looks after transport inside the plant? I would rather \
ask than bother the wrong person.

Thank you
{{ my_name }}""",
    ),
)

REPLIES = (
    "Thank you for writing. Wednesday morning would suit us, around ten. I will bring our plant manager.",
    "Interesting, but our budget is closed until summer. Please come back to me in May.",
    "I am not the right person. Please talk to my colleague who runs the warehouse; I have put him in copy.",
    "We will be at the show on the second day. Send me a slot in the afternoon.",
    "How does the K3 deal with ramps? We have two of them, 6 per cent. If that works, let us meet.",
    "We have just signed with somebody else for three years. Good luck at the show.",
    "Happy to meet. Can you also show the fleet software on a tablet?",
    "Yes, please. Tuesday 14:00 at your booth?",
)

NOTES = (
    "Called the front desk: transport is decided in the plant, not at headquarters.",
    "Has seen the K2 at last year's show; liked the battery, not the price.",
    "Wants to see safety papers before talking about money.",
    "Two halls, 40 pallets an hour between them, three shifts.",
    "Their distributor also sells a competitor. Stay factual.",
    "Prefers the phone. Best before nine.",
    "Decision in the first quarter; three people at the table.",
    "Asked for a reference in food. Send the dairy case.",
)

TASKS = (
    "Send the safety certificate", "Call back about ramps", "Prepare the offer over 12 vehicles", "Find out who decides",
    "Send the dairy reference", "Confirm the slot by phone", "Ask for the floor plan", "Send the price list",
    "Book the interpreter", "Check the visa letter",
)  # fmt: skip
