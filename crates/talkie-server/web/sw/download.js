/** Received files, handed to the browser’s own downloads while they arrive: answers `/download/…`. */
