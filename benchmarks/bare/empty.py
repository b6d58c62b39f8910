"""An empty Streamlit app: the least that any app can take to start."""

import streamlit as st

st.write("ready")
