// Adds to Swagger UI what its markup lacks for screen readers (a landmark, heading levels, labels), and a button that shows the example of a problem.
'use strict';
document.addEventListener('DOMContentLoaded', () => {
  const root = document.getElementById('swagger-ui');

  function set(element, name, value) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  }

  function label(selector, text) {
    for (const element of root.querySelectorAll(selector)) set(element, 'aria-label', typeof text === 'function' ? text(element) : text);
  }

  const operation = element => element.closest('.opblock')?.querySelector('.opblock-summary-path')?.textContent.replaceAll('\u200b', '') ?? '';
  const method = element => element.closest('.opblock')?.querySelector('.opblock-summary-method')?.textContent ?? '';
  const code = element => element.closest('.response')?.dataset.code ?? '';

  function addToggle(row) {
    const cell = row.querySelector('.response-col_status');
    if (!cell || cell.querySelector('.example-toggle') || !row.querySelector('.model-example')) return;
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'example-toggle';
    button.textContent = 'Example';
    button.setAttribute('aria-expanded', 'false');
    button.setAttribute('aria-label', `Example of ${code(row)}`);
    button.addEventListener('click', () => {
      const shown = row.dataset.example !== 'shown';
      row.dataset.example = shown ? 'shown' : 'hidden';
      button.setAttribute('aria-expanded', String(shown));
    });
    cell.append(button);
  }

  function improve() {
    for (const heading of root.querySelectorAll('h3.opblock-tag, section.models > h4')) set(heading, 'aria-level', '2'), set(heading, 'role', 'heading');
    for (const heading of root.querySelectorAll('.opblock-section-header h4')) set(heading, 'aria-level', '3'), set(heading, 'role', 'heading');
    for (const heading of root.querySelectorAll('.responses-inner h4, .responses-inner h5, .live-responses-table h5')) set(heading, 'aria-level', '4'), set(heading, 'role', 'heading');
    for (const about of root.querySelectorAll('.information-container')) set(about, 'role', 'region');
    label('.information-container', 'About this API');
    label('table.responses-table', table => `${table.classList.contains('live-responses-table') ? 'Received response' : 'Responses'} of ${method(table)} ${operation(table)}`);
    label('select.examples-select-element', select => `Example of ${code(select) || 'the request'}`);
    label('select.content-type', select => select.getAttribute('aria-label') || 'Media type');
    label('.parameters select', select => select.getAttribute('aria-label') || `Value of ${select.closest('tr')?.dataset.paramName ?? 'the parameter'}`);
    label('.parameters input', input => input.getAttribute('aria-label') || `Value of ${input.closest('tr')?.dataset.paramName ?? 'the parameter'}`);
    label('textarea', area => area.getAttribute('aria-label') || 'Request body');
    for (const dialog of root.querySelectorAll('.dialog-ux .modal-ux')) set(dialog, 'role', 'dialog'), set(dialog, 'aria-modal', 'true'), set(dialog, 'aria-label', 'Authorize');
    for (const heading of root.querySelectorAll('.modal-ux-header h3')) set(heading, 'aria-level', '2'), set(heading, 'role', 'heading');
    for (const heading of root.querySelectorAll('.modal-ux-content h4')) set(heading, 'aria-level', '3'), set(heading, 'role', 'heading');
    label('.close-modal', 'Close');
    for (const button of root.querySelectorAll('.modal-btn[aria-label]')) button.removeAttribute('aria-label'); // it differs from the visible text
    for (const block of root.querySelectorAll('pre.microlight')) set(block, 'tabindex', '0'); // it scrolls if it is long
    for (const row of root.querySelectorAll('table.responses-table:not(.live-responses-table) .response[data-code]:not([data-code^="2"])')) addToggle(row);
  }

  let queued = false;
  new MutationObserver(() => {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => { queued = false; improve(); });
  }).observe(root, { childList: true, subtree: true });
});
