/* A double click sends a form once. The answer to the first is otherwise never seen, and it may hold
   what is shown only once, a credential above all. */
let sent = { form: null, at: 0 };
document.addEventListener("submit", (event) => {
    if (event.target === sent.form && event.timeStamp - sent.at < 1000) event.preventDefault();
    else sent = { form: event.target, at: event.timeStamp };
});
