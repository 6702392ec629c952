// The plan of an update: acted on without leaving, and shown anew afterwards.

import { takeOver } from './console.js';

takeOver(document.getElementById('programs'), () => [], () => setTimeout(() => location.reload(), 1500));
