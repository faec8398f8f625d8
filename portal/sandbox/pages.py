"""The sandbox by hand: iyzico's payment page, and a page with the levers."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from portal.sandbox import control
from portal.sandbox.faults import MODES, Fault
from portal.sandbox.iyzico.books import Books, Refused
from portal.sandbox.world import World

OPERATIONS = (
    "approve", "refund", "cancel", "checkout_init", "checkout_retrieve", "payment_detail", "report_details",
    "payout_report", "submerchant", "webhook", "create", "cancel", "track", "draft", "confirm", "status", "mail", "sign_in", "query", "fetch", "*",
)  # fmt: skip


def pages(world: World, books: Books) -> Blueprint:
    """Two pages for people."""
    bp = Blueprint("pages", __name__)

    @bp.get("/pay/<token>")
    def pay_page(token: str) -> str:
        form = world.store.get("form", token)
        if form is None:
            abort(404)
        return render_template("pay.html", form=form)

    @bp.post("/pay/<token>")
    def pay(token: str) -> Response | str | tuple[str, int]:
        form = world.store.get("form", token)
        if form is None:
            abort(404)
        if request.form.get("result") == "back":
            return render_template("return.html", form=form, paid=False)
        try:
            form = control.pay(world, books, token, success=request.form.get("result") == "success")
        except Refused as no:
            return render_template("pay.html", form=form, error=str(no)), 409
        if form["status"] == "DECLINED":
            return render_template("pay.html", form=form, error="Kart reddedildi: limit yetersiz.")
        return render_template("return.html", form=form, paid=True)

    @bp.get("/")
    def home() -> str:
        rows = [
            {**payment, "items": [books.item(i) for i in payment["items"]]}
            for payment in world.store.all("payment")[-30:]
        ]
        return render_template(
            "home.html",
            payments=rows[::-1],
            forms=[f for f in world.store.all("form") if f["status"] != "PAID"][-10:][::-1],
            effects=world.store.all("effect")[-40:][::-1],
            webhooks=world.store.all("webhook")[-20:][::-1],
            faults=world.faults.waiting,
            modes=MODES,
            operations=OPERATIONS,
            now=world.now(),
            shift=world.shift_seconds(),
        )

    @bp.post("/levers/clock")
    def clock() -> Response:
        control.move_clock(world, request.form.to_dict())
        return redirect("/", code=303)

    @bp.post("/levers/fault")
    def fault() -> Response:
        mode, operation = request.form.get("mode", ""), request.form.get("operation", "*")
        if mode not in MODES or operation not in OPERATIONS:
            abort(422)
        times = request.form.get("times", "1")
        world.faults.add(Fault("*", operation, mode, int(times) if times.isdigit() else 1))
        return redirect("/", code=303)

    @bp.post("/levers/calm")
    def calm() -> Response:
        world.faults.clear()
        return redirect("/", code=303)

    return bp
