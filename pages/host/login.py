"""Access: log in as host; set or change the password, log out."""

import streamlit as st

from pages.parts import access, frame, labels, notices

UNLOCKED = (
    "No host password is set. On this machine (localhost) every screen is open; from elsewhere people can "
    "only join sessions. Set one to host from elsewhere, or when others use this machine."
)
REFUSED = (
    "This server has no host password yet, so it can be hosted only on the machine that it runs on "
    "(localhost). To host from here, set one there: on the screen Access, by `python -m optimizer password`, "
    "or by the environment variable `PROMPT_DUEL_HOST_PASSWORD`."
)


def log_in() -> None:
    password = st.session_state.pop("host_password", None) or ""
    notices.attempt(lambda: gate.log_in(password, visit.person, access.address()), "Welcome.")


def set_password() -> None:
    password = st.session_state.pop("new_password", None) or ""

    def act() -> None:
        gate.set_password(password)
        gate.log_in(password, visit.person, access.address())

    notices.attempt(act, "The password is set. You are logged in.")


def draw_login() -> None:
    if gate.has_password():
        # A form: else leaving the field, Enter and the button were a try each, and wrong ones are counted.
        with st.form("log_in_form", clear_on_submit=True, width=460):
            st.text_input("Host password", type="password", key="host_password")
            st.form_submit_button("Log in", type="primary", key="log_in", on_click=log_in, width="stretch")
    if access.login_offered():
        if st.user.is_logged_in:
            mail = labels.plain(str(st.user.get("email") or "You"))
            st.info(f"{mail} may join sessions here, but not host.", icon=":material/person:")
            st.button("Log out", key="oidc_out", on_click=st.logout)
        else:
            st.button("Log in with your account", key="oidc", on_click=st.login, icon=":material/login:")
    if access.is_open(visit.services):
        st.warning(REFUSED, icon=":material/lock:")
    st.page_link("rater/join.py", label="Join a session instead", icon=":material/groups:")


def draw_settings() -> None:
    if access.is_open(visit.services):
        st.info(UNLOCKED, icon=":material/lock_open:")
    else:
        st.caption("You are the host on this browser.")
    if visit.person == access.NO_COOKIE:
        st.warning("Your browser keeps no cookies for this page, so you would lock yourself out.")
        return
    with st.form("password_form", clear_on_submit=True, width=460):
        st.text_input(
            "New password",
            type="password",
            key="new_password",
            help="At least 10 characters. It is kept as an argon2id hash. All other logins end.",
        )
        st.form_submit_button("Set the password", key="set_password", on_click=set_password, width="stretch")
    if gate.is_host(visit.person):
        st.button("Log out", key="log_out", on_click=gate.log_out, args=(visit.person,))
    if access.e_mail():
        st.button("Log out of your account", key="oidc_out", on_click=st.logout)


visit = access.visitor()
gate = visit.services.gate
frame.style()
notices.draw()
st.header("Host access", anchor=False)
if visit.role is access.Role.HOST:
    draw_settings()
elif visit.role is access.Role.GUEST:
    if visit.person == access.NO_COOKIE:
        st.warning("Your browser keeps no cookies for this page. Allow them and reload, to log in.")
        st.stop()
    draw_login()
else:
    st.error("Leave the session first.", icon=":material/lock:")
